/** What a node's first input was seen to hold: its least and its largest value, by the node's name. */
export type ActivationRanges = Readonly<Record<string, readonly [least: number, most: number]>>;
