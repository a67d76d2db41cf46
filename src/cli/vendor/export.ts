import { resolve } from 'node:path';
import { z } from 'zod';
import { writeOutput } from '../output.ts';
import { writeNewFile } from '../write-file.ts';
import { collectIssued, findIssued } from './issued.ts';
import { optionSchemas } from './options.ts';
import { allOrThrow, checkOptions } from './problems.ts';
import { readRegister } from './register-file.ts';

const { register, out } = optionSchemas;
const exportOptions = z.object({ register, out });

/** Writes the file of an issued licence again, as the register holds it. Throws an OperatorError. */
export async function runExport(
  licId: string,
  given: Readonly<Record<string, unknown>>,
): Promise<void> {
  const options = checkOptions(exportOptions, given, 'vendor export');
  const { register: read } = allOrThrow({ register: await readRegister(options.register) });
  const { issued } = allOrThrow({ issued: collectIssued(read) });
  const { license } = allOrThrow({ license: findIssued(issued, licId) });
  const path = options.out ?? resolve(`${licId}.lic`);
  await writeNewFile({ path, text: license.file });
  await writeOutput(`file ${path}\n`);
}
