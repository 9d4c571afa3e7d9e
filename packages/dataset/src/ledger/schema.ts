/** Raised when older ledgers cannot be read any more. */
export const ledgerVersion = 1;

/**
 * `item`: what the sources hold, and where each item stands in the latest run. `result`: what stages made of it, kept as long as the same settings and rows
 * may ask for it again. `side`: of the split, kept for items that come back. `decision`: what people said. No times anywhere: two runs of the same config hold the same.
 */
export const ledgerSchema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE item (
  key TEXT PRIMARY KEY,
  source INTEGER NOT NULL,
  position INTEGER NOT NULL,
  location TEXT NOT NULL,
  live INTEGER NOT NULL DEFAULT 0,
  step TEXT,
  outcome TEXT,
  reasons TEXT,
  cluster TEXT,
  split TEXT
) WITHOUT ROWID;
CREATE INDEX item_place ON item (source, position);
CREATE TABLE result (
  key TEXT NOT NULL,
  stage TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  input TEXT NOT NULL,
  config TEXT NOT NULL,
  outcome TEXT NOT NULL,
  hash TEXT,
  row TEXT,
  reasons TEXT,
  code TEXT,
  message TEXT,
  retryable INTEGER,
  PRIMARY KEY (key, stage)
) WITHOUT ROWID;
CREATE TABLE side (key TEXT PRIMARY KEY, side TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE decision (key TEXT PRIMARY KEY, decision TEXT NOT NULL) WITHOUT ROWID;
`;
