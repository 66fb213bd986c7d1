export declare function roundTrip(bootstrapServers: string): Promise<string>
