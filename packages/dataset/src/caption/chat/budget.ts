import { DatasetError } from "../../error.js";

/** What may be spent in all; a field that is absent is not limited. */
export interface BudgetSettings {
  readonly calls?: number;
  /** Input and output. */
  readonly tokens?: number;
  /** In the currency of the endpoints' prices. */
  readonly money?: number;
}

export interface CaptionUsage {
  /** Requests that were sent, answered or not. */
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly money: number;
  /** Calls of which the server did not say how many tokens they took. */
  readonly estimatedCalls: number;
}

/** Tokens of one call. */
export interface CallTokens {
  readonly input: number;
  readonly output: number;
}

export interface Reservation {
  /** Takes what was really used in place of what was set aside; without it, what was set aside counts as spent. */
  settle(used?: CallTokens): void;
}

export const noUsage: CaptionUsage = { calls: 0, inputTokens: 0, outputTokens: 0, money: 0, estimatedCalls: 0 };

/** Counts what is spent and refuses what could go beyond the limits: the most that a call can cost is set aside before it is sent. */
export class Budget {
  readonly #limits: BudgetSettings;
  #spent: CaptionUsage;
  #reserved = { tokens: 0, money: 0 };

  /** @param spent of earlier runs on the same budget */
  constructor(limits: BudgetSettings, spent: CaptionUsage = noUsage) {
    for (const [name, value] of Object.entries(limits)) {
      if (!(value >= 0)) throw new DatasetError("invalid-config", `captionStage: expected a budget of ${name} of at least 0, got ${value}`);
    }
    this.#limits = limits;
    this.#spent = spent;
  }

  get spent(): CaptionUsage {
    return this.#spent;
  }

  /** @throws DatasetError `budget` when the call could cost more than is left */
  reserve(most: CallTokens, prices: { readonly input: number; readonly output: number }): Reservation {
    const costOf = ({ input, output }: CallTokens) => (input * prices.input + output * prices.output) / 1e6;
    const tokens = most.input + most.output;
    const money = costOf(most);
    const { calls, inputTokens, outputTokens } = this.#spent;
    const wanted = {
      calls: calls + 1,
      tokens: inputTokens + outputTokens + this.#reserved.tokens + tokens,
      money: this.#spent.money + this.#reserved.money + money,
    };
    for (const name of ["calls", "tokens", "money"] as const) {
      const limit = this.#limits[name];
      if (limit !== undefined && wanted[name] > limit) {
        const spent = { calls, tokens: inputTokens + outputTokens, money: this.#spent.money }[name];
        throw new DatasetError(
          "budget",
          `captions: the budget of ${limit} ${name} does not allow another call; ${round(spent)} spent, the next may take ${round(wanted[name] - spent)}`,
        );
      }
    }
    this.#spent = { ...this.#spent, calls: calls + 1 };
    this.#reserved = { tokens: this.#reserved.tokens + tokens, money: this.#reserved.money + money };
    let settled = false;
    return {
      settle: (used) => {
        if (settled) return;
        settled = true;
        this.#reserved = { tokens: this.#reserved.tokens - tokens, money: this.#reserved.money - money };
        const taken = used ?? most;
        this.#spent = {
          calls: this.#spent.calls,
          inputTokens: this.#spent.inputTokens + taken.input,
          outputTokens: this.#spent.outputTokens + taken.output,
          money: this.#spent.money + costOf(taken),
          estimatedCalls: this.#spent.estimatedCalls + (used ? 0 : 1),
        };
      },
    };
  }
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
