/**
 * Flags for a server whose models cannot be loaded: it starts at once, and answers 336100 where
 * one with models would classify. Enough for what happens before a service is asked.
 */
export const noModels = { 'models-dir': '/nowhere', workers: '1' };
