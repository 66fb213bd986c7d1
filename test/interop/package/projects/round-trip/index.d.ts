export declare function roundTrip(bootstrapServers: string, topic?: string, groupId?: string): Promise<string>
export declare function topics(bootstrapServers: string): Promise<string[]>
