/** A section of RESULTS.md. */
export interface Section {
  /** What it is called on the command line. */
  readonly name: string;
  /** Its heading. */
  readonly title: string;
  /** Numbers that may follow the name, in words. */
  readonly parameters: string;
  /** Measures; tells progress on the error stream and gives the Markdown below the heading. */
  readonly run: (parameters: readonly number[]) => Promise<string>;
}

/** Every section, in the order of the file. Each is loaded when it is run: most bring packages of their own. */
export const sections: readonly Section[] = [
  {
    name: "peers",
    title: "Exact attention beside other engines",
    parameters: "n … (1024 2048 4096 8192)",
    run: async (parameters) => await (await import("./peers.ts")).peers(parameters),
  },
  {
    name: "layers",
    title: "The layers of the paper, at the error of the published code",
    parameters: "seeds (2), rounds (11)",
    run: async (parameters) => await (await import("./layers.ts")).layers(parameters),
  },
  {
    name: "error",
    title: "Errors at equal budgets",
    parameters: "seeds (5), rounds (11)",
    run: async (parameters) => await (await import("./error_at_budget.ts")).errorAtBudget(parameters),
  },
  {
    name: "fidelity",
    title: "Methods of others beside their public codes",
    parameters: "seeds (20)",
    run: async (parameters) => await (await import("./fidelity.ts")).fidelity(parameters),
  },
  {
    name: "rivals",
    title: "Every method on every pretrained head",
    parameters: "seeds (3), n (4096)",
    run: async (parameters) => await (await import("./rivals.ts")).rivals(parameters),
  },
  {
    name: "paper",
    title: "The paper's experiment on word vectors",
    parameters: "seeds (3), n (8192)",
    run: async (parameters) => await (await import("./paper.ts")).paper(parameters),
  },
  {
    name: "guarantees",
    title: "Whose guarantee holds where",
    parameters: "seed (1)",
    run: async (parameters) => await (await import("./guarantees.ts")).guarantees(parameters),
  },
  {
    name: "long",
    title: "Long sequences at a given error",
    parameters: "n … (4096 16384); 65536 takes half an hour",
    run: async (parameters) => await (await import("./long_context.ts")).longContext(parameters),
  },
  {
    name: "causal",
    title: "Causal order",
    parameters: "n … (4096 16384)",
    run: async (parameters) => await (await import("./causal.ts")).causalOrder(parameters),
  },
  {
    name: "estimates",
    title: "What an estimate of the error is worth",
    parameters: "samples (200)",
    run: async (parameters) => await (await import("./estimates.ts")).estimates(parameters),
  },
  {
    name: "auto",
    title: "Where approximating hardly pays",
    parameters: "rounds (9)",
    run: async (parameters) => await (await import("./auto_grid.ts")).autoGrid(parameters),
  },
  {
    name: "certificates",
    title: "Certificates, and what they cost where they do not hold",
    parameters: "rounds (3), n … (4096 16384)",
    run: async (parameters) => await (await import("./certificates.ts")).certificates(parameters),
  },
  {
    name: "scaling",
    title: "Scaling",
    parameters: "largest n (131072)",
    run: async (parameters) => await (await import("./scaling.ts")).scaling(parameters),
  },
  {
    name: "kde",
    title: "Density estimators",
    parameters: "largest number of points (65536)",
    run: async (parameters) => await (await import("./kde.ts")).kde(parameters),
  },
  {
    name: "kernels",
    title: "Kernels beside what the machine can do",
    parameters: "rounds (15)",
    run: async (parameters) => await (await import("./kernels.ts")).kernels(parameters),
  },
  {
    name: "gpu",
    title: "Kernels on GPUs",
    parameters: "rounds (9)",
    run: async (parameters) => await (await import("./gpu.ts")).gpu(parameters),
  },
  {
    name: "startup",
    title: "Starting",
    parameters: "runs (9)",
    run: async (parameters) => await (await import("./startup.ts")).startup(parameters),
  },
  {
    name: "memory",
    title: "Memory",
    parameters: "n (131072)",
    run: async (parameters) => await (await import("./memory.ts")).memory(parameters),
  },
];
