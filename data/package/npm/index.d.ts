/** The path of the extension for this platform. Throws where the package has none. */
export declare function getLoadablePath(): string;

/** Loads the extension into a database of better-sqlite3, or of node:sqlite that was opened with allowExtension. */
export declare function load(database: { loadExtension(file: string): void }): void;
