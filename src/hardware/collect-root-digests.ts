import { err, ok, type Result } from '../core/result.ts';
import type { ComponentKind } from './components.ts';
import { type ReadOptions, readHostFacts } from './read-host-facts.ts';
import { writeRootDigests } from './root-digests.ts';

/**
 * What root does once after each start of the host, for a service without root: reads the hardware
 * and leaves the digests of what only root may read. Returns the kinds that were found; the error
 * is a sentence.
 */
export async function collectRootDigests(
  options: ReadOptions,
): Promise<Result<readonly ComponentKind[], string>> {
  const facts = await readHostFacts(options);
  if (!facts.ok) return facts;
  try {
    const written = await writeRootDigests(facts.value.components, options.rootDigestsFile);
    return ok(written.map(({ kind }) => kind));
  } catch (error) {
    return err(`the digests could not be written: ${(error as Error).message}`);
  }
}
