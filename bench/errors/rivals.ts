import peers from "../peer_errors.json" with { type: "json" };
import rivals from "../rival_errors.json" with { type: "json" };

/** What was recorded of an implementation on an input. */
export interface Figure {
  readonly implementation: string;
  /** Which of its ways, and how it was set; empty where there is but one. */
  readonly variant: string;
  /** What of it stands for a budget of evaluations; undefined where it chose for itself. */
  readonly size?: number;
  /** Keys, centroids or features that the answer of a query takes. */
  readonly evaluations: number;
  /** What was spent before, for each query; undefined where it looks at all keys and is not counted. */
  readonly preparation?: {
    /** Products of rows with what they weigh: as many multiply-adds as an evaluation. */
    readonly rows: number;
    /** Products of rows alone. */
    readonly products: number;
  };
  readonly error: number;
  /** Whether it answers another problem than the one that is asked here. */
  readonly otherTarget: boolean;
}

/** Widths of a head's rows. */
export interface Widths {
  readonly features: number;
  readonly valueFeatures: number;
}

/** [evaluations, rows, products, median, least, largest, seeds] */
type Run = readonly [number, number | null, number | null, number, number, number, number];

/** A way of an implementation with one setting, on all inputs that it ran on. */
export interface Setting {
  readonly implementation: string;
  readonly variant?: string;
  readonly options: string;
  readonly size?: number;
  readonly otherTarget?: boolean;
  readonly runs: Readonly<Record<string, Run>>;
}

/** Every setting that was recorded. */
export const settings = rivals.figures as unknown as readonly Setting[];

/** Keys that the figures of `peer_errors.json` stand for: f/2 in blocks and f sampled, or as many features. */
const perSample = 1.5;
/** What the same implementations are called beside others. */
const NAMES: Readonly<Record<string, string>> = { official: "kdeformer" };

/** The figure of a setting on an input. */
export function figureOf(setting: Setting, input: string): Figure | undefined {
  const run = setting.runs[input];
  if (!run) return undefined;
  const [evaluations, rows, products, error] = run;
  return {
    implementation: setting.implementation,
    variant: setting.variant ?? "",
    size: setting.size,
    evaluations,
    preparation: rows === null || products === null ? undefined : { rows, products },
    error,
    otherTarget: setting.otherTarget ?? false,
  };
}

/** All figures of an input. */
export function figuresOf(input: string): Figure[] {
  const ofPeers = Object.entries(peerErrors(input)).flatMap(([f, errors]) =>
    Object.entries(errors).map(([name, error]) => {
      const evaluations = perSample * Number(f);
      const products = name === "performer" ? evaluations : 0;
      return {
        implementation: NAMES[name] ?? name,
        variant: "",
        size: evaluations,
        evaluations,
        preparation: { rows: 0, products },
        error,
        otherTarget: false,
      };
    })
  );
  return [...ofPeers, ...settings.flatMap((setting) => figureOf(setting, input) ?? [])];
}

/** What the authors' code was recorded to err on an input at a budget. */
export function recordedOfficial(input: string, budget: number): number | undefined {
  return peerErrors(input)[budget / perSample]?.official ??
    figuresOf(input).find(({ implementation, size }) => implementation === "kdeformer" && size === budget)
      ?.error;
}

/** By sampled keys and implementation. */
function peerErrors(input: string): Readonly<Record<string, Readonly<Record<string, number>>>> {
  return (peers.inputs as Record<string, Record<string, Record<string, number>>>)[input] ?? {};
}

/** Evaluations and all preparation, each product of two rows counted as an evaluation; undefined where that is not counted. */
export function wholeCost({ evaluations, preparation }: Figure): number | undefined {
  return preparation && evaluations + preparation.rows + preparation.products;
}

/** The same in units of d + d_v multiply-adds, as a tree counts: a product alone takes d. */
export function costInMultiplyAdds(
  { evaluations, preparation }: Figure,
  { features, valueFeatures }: Widths,
): number | undefined {
  return preparation &&
    evaluations + preparation.rows + preparation.products * features / (features + valueFeatures);
}

/** The figure with the least error among those of this problem that cost no more than so much; one of them must. */
export function bestWithin(
  figures: readonly Figure[],
  cost: (figure: Figure) => number | undefined,
  most: number,
): Figure {
  return figures.filter((figure) => !figure.otherTarget && (cost(figure) ?? Infinity) <= most)
    .reduce((best, figure) => figure.error < best.error ? figure : best);
}

/** An implementation and its variant, in words. */
export function nameOf({ implementation, variant }: Pick<Figure, "implementation" | "variant">): string {
  return variant ? `${implementation} (${variant})` : implementation;
}
