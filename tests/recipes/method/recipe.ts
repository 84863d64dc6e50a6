import type { Recipe } from "../recipe.ts";

/** Each query attends to the first keys that its budget covers. */
export const method: Recipe = {
  name: "method",
  heading: "Add an attention method",
  most: 6,
  sources: new URL("./files/", import.meta.url),
  insertions: [
    {
      file: "estimators/methods/methods.ts",
      before: "import type { Method }",
      text: 'import { firstKeys } from "./first_keys/first_keys.ts";\n',
    },
    { file: "estimators/methods/methods.ts", before: "] as const;", text: '  "first-keys",\n' },
    {
      file: "estimators/methods/methods.ts",
      before: "} as const satisfies Partial<Record<ApproximateName, Method>>;\n\n/** Methods of others",
      text: '  "first-keys": firstKeys,\n',
    },
    {
      file: "docs/theory.md",
      text: `
## 10. First keys

\`first-keys\` attends to the first m keys alone. What the others weigh is missing from every row, so that no bound on
its error holds. → [the same as exact attention to those keys](../tests/estimators/methods/first_keys_test.ts)
`,
    },
    {
      file: "docs/choosing.md",
      before: "| Algorithm 1 or 3 of the paper, as published",
      text: "| the first keys are all that counts | `first-keys` |\n",
    },
    { file: "CHANGELOG.md", text: '- `method: "first-keys"`: each query attends to the first keys.\n' },
  ],
  generators: [["fmt", "--quiet", "docs"], ["run", "-A", "--no-lock", "tests/docs/write.ts"]],
  checks: [
    ["fmt", "--check"],
    ["lint"],
    ["check", "--quiet", "."],
    ["run", "-A", "--no-lock", "tests/structure/check.ts"],
    ["run", "-A", "--no-lock", "tests/docs/write.ts", "--check"],
    [
      "test",
      "-A",
      "--no-check",
      "--filter=/first-keys|methods lists|firstKeys/",
      "tests/estimators/methods/registry_test.ts",
      "tests/estimators/methods/first_keys_test.ts",
    ],
  ],
};
