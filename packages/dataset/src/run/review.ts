import { decisionStore } from "../browse/memory-store.js";
import type { BrowseItem, DecisionStore, PictureRole } from "../browse/store.js";
import type { StoredFile } from "../contract.js";
import type { Run } from "./create-run.js";

/** The items of a run's ledger for a person to look at; what they decide goes into the ledger, and counts from the next run on. */
export function reviewStore(run: Run): DecisionStore {
  const items: BrowseItem[] = [];
  for (const { key, stop, split, rows } of run.ledger.entries()) {
    if (!rows.ingest) continue;
    const category = run.known(rows.ingest).category;
    const decision = run.ledger.decision(key);
    const roles: PictureRole[] = ["ad"];
    if (rows.extract) roles.push("product", "mask");
    for (const { index } of rows.augment?.variants ?? []) roles.push(`variant-${index}`);
    items.push({
      key,
      ...(category !== undefined && { category }),
      captions: rows.caption?.captions ?? rows.ingest.captions ?? [],
      scores: { ...rows.score, ...rows.inspect },
      reasons: stop?.reasons ?? [],
      ...(split && { split }),
      pictures: roles,
      ...(decision && { decision }),
    });
  }
  return decisionStore(items, {
    picture: async (key, role) => {
      const file = fileOf(run, key, role);
      if (!file || file.type === "application/json") return undefined;
      return { bytes: await run.files.get(file), type: file.type };
    },
    onDecide: (key, decision) => run.ledger.decide(key, decision),
  });
}

function fileOf(run: Run, key: string, role: PictureRole): StoredFile | undefined {
  const rows = run.ledger.item(key)?.rows;
  if (role === "ad") return rows?.ingest?.picture;
  if (role === "product" || role === "mask") return rows?.extract?.[role];
  return rows?.augment?.variants.find(({ index }) => role === `variant-${index}`)?.product;
}
