import { execFileSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { makeDebianRoot } from './debian-root.ts';
import { buildRelease } from './release.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of the archive of this working tree. */
    readonly archive: string;
  }
}

/** What every test needs, made before the first and told while it is made. */
export async function setup(project: TestProject): Promise<void> {
  const tell = (text: string) => process.stderr.write(`${text}\n`);
  if (process.getuid?.() !== 0) {
    throw new Error(
      'test:systemd boots a machine in namespaces, which only root may: run it as root',
    );
  }
  execFileSync('unshare', ['--mount', '--pid', '--net', '--fork', 'true']); // says what is missing
  await makeDebianRoot(tell);
  project.provide(
    'archive',
    process.env.EDGE_INFER_LAB_ARCHIVE ?? (await buildRelease('0.1.0', tell)),
  );
}
