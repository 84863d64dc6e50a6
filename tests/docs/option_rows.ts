import { deno } from "../child.ts";

/** What is read of the output of `deno doc --json`. */
interface DocumentedModule {
  readonly symbols: readonly { readonly name: string; readonly declarations: readonly Declaration[] }[];
}
interface Declaration {
  readonly kind: string;
  readonly def: {
    readonly extends?: readonly { readonly typeName?: string; readonly repr?: string }[];
    readonly properties?: readonly Property[];
  };
}
interface Property {
  readonly name: string;
  readonly jsDoc?: { readonly doc?: string };
}

let documented: Promise<Map<string, Declaration>> | undefined;

/** Name and description of each property of an interface that mod.ts exports, inherited ones too. */
export async function optionRows(name: string): Promise<string[][]> {
  const declaration = (await (documented ??= readInterfaces())).get(name);
  if (!declaration) throw new Error(`mod.ts exports no interface ${name}`);
  // What is picked of another interface stands in the table of that.
  const inherited = (declaration.def.extends ?? []).map(({ typeName, repr }) => typeName ?? repr ?? "")
    .filter((above) => above !== "Pick");
  const above = (await Promise.all(inherited.map(optionRows))).flat();
  const own = (declaration.def.properties ?? []).map((
    { name, jsDoc },
  ) => [`\`${name}\``, sentence(jsDoc?.doc ?? "")]);
  return [...own, ...above];
}

/** One line, with links as plain names. */
function sentence(doc: string): string {
  return doc.replace(/\{@link ([^}]+)\}/g, "`$1`").replace(/\s+/g, " ").trim();
}

async function readInterfaces(): Promise<Map<string, Declaration>> {
  const { code, stdout, stderr } = await deno(["doc", "--json", "mod.ts"]);
  if (code !== 0) throw new Error(stderr);
  const modules = Object.values((JSON.parse(stdout) as { nodes: Record<string, DocumentedModule> }).nodes);
  return new Map(
    modules.flatMap(({ symbols }) =>
      symbols.flatMap(({ name, declarations }) =>
        declarations.filter(({ kind }) => kind === "interface").map((
          found,
        ): [string, Declaration] => [name, found])
      )
    ),
  );
}
