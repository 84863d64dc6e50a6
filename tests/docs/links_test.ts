import { assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "../child.ts";

/** Documents of the root and of docs/. */
function documents(): string[] {
  return [root, join(root, "docs"), join(root, "bench")].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.endsWith(".md")).map((name) => join(folder, name))
  );
}

/** Anchor of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

Deno.test("every link of the documents to a file, and to a heading of it, leads somewhere", () => {
  const broken: string[] = [];
  for (const path of documents()) {
    for (const [, target] of readFileSync(path, "utf8").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, anchor] = target.split("#"), whole = file === "" ? path : join(dirname(path), file);
      const name = `${relative(root, path)}: ${target}`;
      if (!existsSync(whole)) {
        broken.push(name);
      } else if (anchor !== undefined) {
        const headings = [...readFileSync(whole, "utf8").matchAll(/^#+ (.*)$/gm)].map((match) =>
          anchorOf(match[1])
        );
        if (!headings.includes(anchor)) broken.push(name);
      }
    }
  }
  assertEquals(broken, []);
});

Deno.test("every path of the repository that sources and documents name is there", () => {
  // Not those of imports, which the compiler checks.
  const named =
    /(?<![\w./])((?:estimators|kernels|proofs_checks|commands|workloads|files|tests|bench|docs)\/[\w/.-]+\.(?:ts|wgsl|md|json))\b/g;
  const folders = ["estimators", "kernels", "proofs_checks", "commands", "workloads", "files", "bench"];
  const sources = folders.flatMap((folder) => filesIn(join(root, folder)))
    .filter((path) => /\.(ts|wgsl)$/.test(path) && !path.endsWith(".generated.ts"));
  const missing = [...documents(), ...sources].flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(named)]
      .filter(([, target]) => !/NAME|\bx\.|_x_/.test(target) && !existsSync(join(root, target)))
      .map(([, target]) => `${relative(root, path)}: ${target}`)
  );
  assertEquals(missing, []);
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)]
  );
}
