/** The licenses of the packages that a bundle contains. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGE_FOLDER = /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/

/** Folders of the packages with code in the bundle, from esbuild's metafile. */
function bundledPackages(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
  const paths = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
  return [...new Set(paths.flatMap(path => PACKAGE_FOLDER.exec(path) ?? []))].sort()
}

/**
 * Name, version and license text of each package in the bundle, and of `others`: names of packages with the text that stands
 * for a missing license file. Throws when a package has no license.
 */
export function thirdPartyLicenses(root, metafile, others = {}) {
  const folders = [...bundledPackages(metafile), ...Object.keys(others).map(name => `node_modules/${name}`)]
  const sections = folders.map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    if (others[name]) return `${name} ${version}\n\n${others[name]}\n`
    const files = readdirSync(join(root, folder)).filter(entry => /^(licen[cs]e|notice)/i.test(entry))
    if (files.length === 0) throw new Error(`the bundled package ${name} ${version} has no license file`)
    const texts = files.map(file => readFileSync(join(root, folder, file), 'utf8').trim())
    return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`
  })
  return ['minikafka contains code of these packages.\n', ...sections].join(`\n${'-'.repeat(80)}\n\n`)
}
