/**
 * Converts a module that esbuild has written to CommonJS. esbuild splits only ES modules, and its own conversion reads
 * each import through two getters; here an import is a `const`. No line moves, so source maps stay valid.
 */

const IMPORT = /^import (?:(\w+|\* as \w+|\{[^}]*\}) from )?("[^"]+");$/gm
const DYNAMIC_IMPORT = /\bimport\(("[^"]+")\)/g
const EXPORT_NAMES = /^export (\{[^}]*\});$/m
const EXPORT_DEFAULT = /^export default (.*);$/m
const RENAMED = /(\w+) as (\w+)/g
/** The mark of Babel and TypeScript for a module whose default export is not `module.exports`. */
const ES_MODULE = 'Object.defineProperty(module.exports, "__esModule", { value: true });'
const UNCOVERED = /^(?:import|export)\b.*|\bimport\.meta\b.*|\b__esm\(.*/m

/** Throws for a statement that this conversion does not support. */
export function toCommonJs(code) {
  refuseAssignedExports(code)
  const converted = withDeclaredClassNames(code)
    .replace(IMPORT, (_, names, path) => (names ? `const ${target(names)} = require(${path});` : `require(${path});`))
    .replace(DYNAMIC_IMPORT, 'Promise.resolve().then(() => require($1))')
    .replace(EXPORT_NAMES, (_, names) => `module.exports = ${names.replace(RENAMED, '$2: $1')}; ${ES_MODULE}`)
    .replace(EXPORT_DEFAULT, `module.exports = { default: $1 }; ${ES_MODULE}`)
  const [uncovered] = UNCOVERED.exec(converted) ?? []
  if (uncovered) throw new Error(`no counterpart in CommonJS: ${uncovered}`)
  return converted
}

/** Refuses exports that are assigned after the module was loaded: an importer would keep the old value. */
function refuseAssignedExports(code) {
  const [, names = ''] = EXPORT_NAMES.exec(code) ?? []
  for (const [name] of names.matchAll(/[\w$]+(?= as |,|\s*\})/g)) {
    const assignment = new RegExp(
      `^(?!(?:var|let|const) ).*(?<![\\w$.#])${name.replaceAll('$', '\\$')} ?(?:[-+*/%|&?^]*=(?![=>])|\\+\\+|--).*$`,
      'm'
    )
    const [assigned] = assignment.exec(code) ?? []
    if (assigned) throw new Error(`an export must be a constant: ${assigned.trim()}`)
  }
}

/** The binding pattern of an import in a `const` declaration. */
function target(names) {
  return names.startsWith('*') ? names.slice('* as '.length) : names.replace(RENAMED, '$1: $2')
}

/**
 * esbuild writes a class that names itself as `Name = class _Name`, which stack traces would show. Columns stay the
 * same.
 */
function withDeclaredClassNames(code) {
  const renamed = new Set(Array.from(code.matchAll(/\b(\w+) = class _\1\b/g), ([, name]) => `_${name}`))
  return code.replace(/(?<![\w$#.])_[A-Z]\w*\b/g, name => (renamed.has(name) ? `${name.slice(1)} ` : name))
}
