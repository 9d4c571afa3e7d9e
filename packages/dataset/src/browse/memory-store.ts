import { ArgumentError } from "@refadgen/errors";
import type { BrowseCounts, BrowseItem, BrowseQuery, Decision, DecisionStore } from "./store.js";

export interface DecisionStoreOptions {
  readonly picture: DecisionStore["picture"];
  /** Keeps a decision, before it counts. Default: it lives as long as the store. */
  readonly onDecide?: (key: string, decision: Decision | undefined) => void | Promise<void>;
}

/** A store over a list of items, a hundred thousand or so: filters and sorts in memory. Decisions that items have already are heeded. */
export function decisionStore(items: readonly BrowseItem[], { picture, onDecide }: DecisionStoreOptions): DecisionStore {
  const byKey = [...items].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const positions = new Map(byKey.map((item, index) => [item.key, index]));
  if (positions.size < items.length) throw new ArgumentError("decisionStore: expected items of different keys, got one twice");
  const decisions = new Map<string, Decision>(byKey.flatMap(({ key, decision }) => (decision ? [[key, decision]] : [])));
  const counts: Record<Decision, number> = { accepted: 0, rejected: 0 };
  for (const decision of decisions.values()) counts[decision]++;
  const now = (): BrowseCounts => ({ items: byKey.length, ...counts });
  // Ordering a hundred thousand items takes longer than a page should.
  let ordered: { readonly name: string; readonly items: readonly BrowseItem[]; readonly rank: ReadonlyMap<string, number> } | undefined;

  const inOrder = ({ order }: BrowseQuery) => {
    if (!order) return { items: byKey, rank: positions };
    const name = `${order.direction} ${order.score}`;
    if (ordered?.name !== name) {
      const sign = order.direction === "ascending" ? 1 : -1;
      const value = (item: BrowseItem) => (Object.hasOwn(item.scores, order.score) ? (item.scores[order.score] ?? undefined) : undefined);
      const sorted = [...byKey].sort((a, b) => {
        const [one, other] = [value(a), value(b)];
        if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
        return sign * (one - other);
      });
      ordered = { name, items: sorted, rank: new Map(sorted.map((item, index) => [item.key, index])) };
    }
    return ordered;
  };

  return {
    async list(query) {
      const { items: all, rank } = inOrder(query);
      const start = query.after === undefined ? 0 : (rank.get(query.after) ?? -1) + 1;
      const page: BrowseItem[] = [];
      let total = 0;
      let more = false;
      for (const [index, item] of all.entries()) {
        if (!matches(item, decisions.get(item.key), query)) continue;
        total++;
        if (index < start) continue;
        if (page.length < query.limit) page.push(withDecision(item, decisions.get(item.key)));
        else more = true;
      }
      return { items: page, total, more, counts: now() };
    },
    async decide(key, decision) {
      if (!positions.has(key)) return undefined;
      await onDecide?.(key, decision);
      const before = decisions.get(key);
      if (before) counts[before]--;
      if (decision) {
        counts[decision]++;
        decisions.set(key, decision);
      } else decisions.delete(key);
      return now();
    },
    async facets() {
      const categories = new Set<string>();
      const reasons = new Set<string>();
      const scores = new Set<string>();
      for (const item of byKey) {
        if (item.category !== undefined) categories.add(item.category);
        for (const { code } of item.reasons) reasons.add(code);
        for (const name of Object.keys(item.scores)) scores.add(name);
      }
      return { categories: [...categories].sort(), reasons: [...reasons].sort(), scores: [...scores].sort() };
    },
    picture,
  };
}

function matches(item: BrowseItem, decided: Decision | undefined, { category, decision, reason, score }: BrowseQuery): boolean {
  if (category !== undefined && item.category !== category) return false;
  if (decision !== undefined && (decided ?? "none") !== decision) return false;
  if (reason !== undefined && !(reason === "none" ? item.reasons.length === 0 : item.reasons.some(({ code }) => code === reason))) return false;
  if (score === undefined) return true;
  const value = Object.hasOwn(item.scores, score.name) ? item.scores[score.name] : null;
  return (
    value !== null && value !== undefined && value >= (score.least ?? Number.NEGATIVE_INFINITY) && value <= (score.most ?? Number.POSITIVE_INFINITY)
  );
}

function withDecision({ decision: _, ...item }: BrowseItem, decision: Decision | undefined): BrowseItem {
  return decision ? { ...item, decision } : item;
}
