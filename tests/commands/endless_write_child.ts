/** Run by `signals_test.ts`: writes a file byte by byte, without end, and says when it has begun. */
import process from "node:process";
import { writeWhole } from "../../files/write_whole.ts";

function* endless(): Generator<Uint8Array> {
  for (let at = 0;; at++) {
    if (at === 100) process.stdout.write("begun\n");
    yield new Uint8Array(1);
  }
}

await writeWhole(process.argv[2], endless() as unknown as Uint8Array[]);
