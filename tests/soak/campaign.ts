import { clopperPearson } from "../../proofs_checks/statistics/binomial.ts";
import type { MethodName } from "../../estimators/methods/methods.ts";
import type { CertifiedRun } from "./certified_run.ts";

/** Counts of certificates, and of those that were false. */
export class Campaign {
  refused = 0;
  /** Certain are bounds of approximations that leave nothing to chance. */
  readonly held = { exact: 0, certain: 0, bound: 0, estimate: 0 };
  readonly wrong = { exact: 0, certain: 0, bound: 0, estimate: 0 };
  /** Certificates of each method with a bound that may fail. */
  readonly bounds = new Map<MethodName, number>();
  #deltas = 0;

  /** Takes a run, and says whether its certificate is false. */
  add({ certificate, share, delta, method }: CertifiedRun): boolean {
    if (!certificate?.holds) {
      this.refused++;
      return false;
    }
    const kind = certificate.delta === 0 ? "certain" : certificate.kind, wrong = !(share <= 1 + 1e-5);
    this.held[kind]++;
    if (kind === "bound") {
      this.#deltas += delta;
      this.bounds.set(method, (this.bounds.get(method) ?? 0) + 1);
    }
    if (wrong) this.wrong[kind]++;
    return wrong;
  }

  /** No certificate that is certain was false, and others no more often than they allow, as far as that can be told. */
  get passed(): boolean {
    const { exact, certain, bound } = this.wrong;
    if (exact > 0 || certain > 0) return false;
    return this.held.bound === 0 ||
      clopperPearson(bound, this.held.bound, 0.99).lower <= this.#deltas / this.held.bound;
  }

  summary(): string {
    const { held, wrong, refused } = this;
    return `${refused} refused; exact: ${held.exact}, ${wrong.exact} false; certain: ${held.certain}, ${wrong.certain} false; ` +
      `bound: ${held.bound}, ${wrong.bound} false ` +
      `of ${this.#deltas.toFixed(1)} allowed in the mean (${
        [...this.bounds].map(([name, count]) => `${name} ${count}`).join(", ")
      })`;
  }
}
