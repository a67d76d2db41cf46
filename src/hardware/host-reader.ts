import { posix } from 'node:path';
import {
  type Component,
  type ComponentKind,
  componentKinds,
  digestValue,
  type HostFacts,
} from './components.ts';
import { readCpuModel } from './cpu-model.ts';
import { readProductUuid, readSerial } from './dmi.ts';
import { withoutFailingFiles } from './failing-files.ts';
import type { Finding } from './finding.ts';
import { withoutForgedFiles } from './forged-files.ts';
import { readGpus } from './gpus.ts';
import { askLibraries } from './library-source.ts';
import { readMachineId } from './machine-id.ts';
import { readNetworkCards } from './network-cards.ts';
import { readRootDigests } from './root-digests.ts';
import { findRootDisks, readRootDisks } from './root-disk.ts';
import type { RunProgram } from './run-program.ts';
import type { SystemFiles } from './system-files.ts';
import { readVirtualization } from './virtualization.ts';

/** Where facts come from; recorded sources take their place in tests. */
export interface FactSources {
  readonly files: SystemFiles;
  readonly run: RunProgram;
  readonly isRoot: boolean;
  /** See root-digests.ts. */
  readonly rootDigestsFile?: string | undefined;
}

/** Reads what a host is. Blocks while it reads files, so it runs in a process of its own. */
export async function readHost({
  files: allFiles,
  run,
  isRoot,
  rootDigestsFile,
}: FactSources): Promise<HostFacts> {
  const notes = new Set<string>();
  const tell = (note: string) => void notes.add(note);
  const files = withoutForgedFiles(withoutFailingFiles(allFiles, tell), tell);
  const { machine, name } = readVirtualization(files);
  const findings: readonly Finding[] = [
    readProductUuid(files),
    readSerial(files, 'board-serial'),
    readSerial(files, 'product-serial'),
    readRootDisks(files),
    await readNetworkCards(files, machine, run),
    readMachineId(files),
    readCpuModel(files),
  ];
  const [gpus, more] = await Promise.all([
    readGpus(files, machine, run),
    askForRest(findings, { files, run, isRoot, rootDigestsFile }, tell),
  ]);
  const components = [
    ...findings.flatMap(({ kind, values }) =>
      values.map((value) => ({ kind, digest: digestValue(kind, value) })),
    ),
    ...more,
  ].toSorted((a, b) => componentKinds.indexOf(a.kind) - componentKinds.indexOf(b.kind));
  const isOpen = ({ kind }: Finding) => !components.some((one) => one.kind === kind);
  return {
    components,
    unreadable: findings.filter((one) => one.isUnreadable && isOpen(one)).map(({ kind }) => kind),
    machine,
    ...(name === undefined ? {} : { virtualization: name }),
    gpus,
    notes: [...findings.filter(isOpen).flatMap(({ note }) => note ?? []), ...notes],
  };
}

/** From root's file what this process may not read, from libraries what the files do not tell. */
async function askForRest(
  findings: readonly Finding[],
  { files, run, isRoot, rootDigestsFile }: FactSources,
  tell: (note: string) => void,
): Promise<readonly Component[]> {
  const open = findings.filter(({ values }) => values.length === 0);
  const fromRoot = readFromRoot(open, files, rootDigestsFile, tell);
  const kinds = open
    .filter(({ kind, isMissing }) => isMissing && !fromRoot.some((one) => one.kind === kind))
    // dmidecode, by which the libraries would learn these, needs root.
    .filter(({ kind }) => isRoot || process.platform !== 'linux' || !firmwareKinds.has(kind))
    .map(({ kind }) => kind);
  if (kinds.length === 0) return fromRoot;
  const [disk] = findRootDisks(files);
  const question = { kinds, ...(disk === undefined ? {} : { diskName: posix.basename(disk) }) };
  return [...fromRoot, ...(await askLibraries(question, run))];
}

const firmwareKinds: ReadonlySet<ComponentKind> = new Set([
  'product-uuid',
  'board-serial',
  'product-serial',
]);

function readFromRoot(
  open: readonly Finding[],
  files: SystemFiles,
  path: string | undefined,
  tell: (note: string) => void,
): readonly Component[] {
  const wanted = open.filter(({ isUnreadable, isMissing }) => isUnreadable || isMissing);
  if (wanted.length === 0) return [];
  const digests = readRootDigests(files, path);
  if (digests.state === 'refused') tell(digests.reason);
  return digests.state === 'read'
    ? digests.components.filter((one) => wanted.some(({ kind }) => kind === one.kind))
    : [];
}
