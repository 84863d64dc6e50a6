import { type Tensor, tensor } from "../../mod.ts";
import type { NamedInput } from "../../proofs_checks/inputs/family.ts";
import { loadWorkload } from "../../workloads/workloads.ts";
import { sentenceEncoderHeads } from "../heads.ts";
import rivals from "../rival_errors.json" with { type: "json" };

/** Heads of the OCR model that others were run on, and inputs that none was but the published code, here. */
const OCR_HEADS = ["1.0", "2.3"], CLUSTERED = [2048, 4096];

/** What an input is one of: those of `peer_errors.json`, those that only `rival_errors.json` has, those that no file has. */
export type Group = "peers" | "rivals" | "clustered";

/** Sizes of its rows, and hashes of the bytes of an input that figures were recorded on. */
interface RecordedInput {
  readonly sha256: Readonly<Record<"query" | "key" | "value", string>>;
}

const recorded = rivals.inputs as Readonly<Record<string, RecordedInput>>;

/** Every input of the section. */
export async function* comparedInputs(): AsyncGenerator<NamedInput & { readonly group: Group }> {
  for (const n of [2048, 4096]) {
    for await (const head of sentenceEncoderHeads(n)) {
      yield { ...head, name: `sentence-encoder n=${n} ${head.name}`, group: "peers" };
    }
  }
  yield { ...await loadWorkload("glove", { n: 4096 }), name: "glove n=4096", group: "peers" };
  for (const head of OCR_HEADS) {
    yield { ...await loadWorkload("ocr", { n: 4096, head }), name: `ocr n=4096 ${head}`, group: "rivals" };
  }
  for (const n of CLUSTERED) {
    yield { ...await loadWorkload("clustered", { n }), name: `clustered n=${n}`, group: "clustered" };
  }
}

/**
 * Sees that an input is the one that figures were recorded on, to the bit.
 *
 * @throws {Error} If it is another.
 */
export async function requireRecorded(
  input: Pick<NamedInput, "name" | "query" | "key" | "value">,
): Promise<void> {
  for (const [name, hash] of Object.entries(recorded[input.name]?.sha256 ?? {})) {
    const found = await hashOf(input[name as "query" | "key" | "value"]);
    if (found !== hash) {
      throw new Error(
        `Cannot compare on ${input.name}: ${name} is not what was recorded: its SHA-256 is ${found}, and was ${hash}`,
      );
    }
  }
}

/** SHA-256 of the numbers of a tensor as little-endian floats, in hexadecimal. */
async function hashOf({ data }: Tensor): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(Float32Array.from(data).buffer));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What attention that sees nothing answers. */
export function meanValue({ query, value }: Pick<NamedInput, "query" | "value">): Tensor {
  const [, keys, width] = value.shape, mean = new Float64Array(width);
  value.data.forEach((x, at) => mean[at % width] += x / keys);
  const shape = [1, query.shape[1], width];
  return tensor(Float32Array.from({ length: shape[1] * width }, (_, at) => mean[at % width]), shape);
}
