import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listApplication, readApplication } from './application.ts';
import { listPackages, traceDependencies } from './dependencies.ts';
import { type LoaderNeeds, readLoaderNeeds } from './elf.ts';
import { type ArchiveEntry, sumBytes } from './entry.ts';
import { readHostFiles } from './host-files.ts';
import { type LeftOut, measureLeftOut } from './left-out.ts';
import { createManifest, type Flavor, formatHashes } from './manifest.ts';
import { prepareRuntime } from './runtime.ts';
import { createSbom } from './sbom.ts';
import { type ReleaseKey, signManifest } from './signature.ts';
import { readSource } from './source.ts';
import { readThirdPartyLicenses } from './third-party-licenses.ts';
import { type WrittenArchive, writeArchive } from './write-archive.ts';

export interface BuildOptions {
  /** The project's working tree. */
  readonly root: string;
  readonly version: string;
  readonly flavor: Flavor;
  /** Without one the archive is not signed. */
  readonly key: ReleaseKey | undefined;
  /** The folder that the archive is written to. */
  readonly out: string;
  /** From 1, fast, to 9, small. */
  readonly compressionLevel: number;
  /** Called as each step begins, and with the share of the writing that is done. */
  readonly onProgress: (step: string, share: number) => void;
}

export interface BuiltArchive extends WrittenArchive {
  readonly file: string;
  readonly isDirty: boolean;
  readonly needs: LoaderNeeds;
  readonly leftOut: LeftOut;
  readonly entries: readonly ArchiveEntry[];
}

/** Builds the archive of a flavor. Throws an OperatorError. */
export async function buildArchive(options: BuildOptions): Promise<BuiltArchive> {
  const { root, version, flavor, key, out, onProgress } = options;
  onProgress('sources', 0);
  const source = await readSource(root);
  const application = await readApplication(source, version);
  onProgress('packages', 0);
  const packages = await traceDependencies(source, listApplication(source));
  const packageFolders = listPackages(packages);
  onProgress('licences and parts list', 0);
  const documents = [
    ...(await readThirdPartyLicenses(source, packageFolders)),
    plainFile('sbom.cdx.json', await createSbom(source, version, packageFolders)),
  ];
  onProgress('runtime', 0);
  const payload = [
    ...application,
    ...packages,
    ...documents,
    ...(await prepareRuntime(source)),
    ...(await readHostFiles(source)),
    ...(key === undefined ? [] : [plainFile('release-key.pub', key.pem)]),
  ];
  onProgress('requirements', 0);
  const needs = await readLoaderNeeds(payload);
  onProgress('hashes', 0);
  const listed = [...payload, plainFile('SHA256SUMS', formatHashes(payload))];
  const manifest = await createManifest({ source, version, flavor, needs, entries: listed });
  const manifestFile = plainFile('MANIFEST.json', `${JSON.stringify(manifest, undefined, 2)}\n`);
  const signature =
    key === undefined ? [] : [plainFile('MANIFEST.sig', signManifest(manifestFile.bytes, key))];
  const entries = [...listed, manifestFile, ...signature];

  const top = `edge-infer-${version}`;
  const file = join(out, `${top}-linux-x64-${flavor}.tar.gz`);
  await mkdir(out, { recursive: true });
  const total = sumBytes(entries);
  let written = 0;
  const archive = await writeArchive(file, entries, {
    top,
    time: source.commitTime,
    compressionLevel: options.compressionLevel,
    onProgress(bytes) {
      written += bytes;
      onProgress('archive', written / total);
    },
  });
  const leftOut = await measureLeftOut(source, entries);
  return { ...archive, file, entries, needs, leftOut, isDirty: source.isDirty };
}

function plainFile(path: string, content: string | Buffer): ArchiveEntry {
  return { path, bytes: Buffer.from(content as string), isExecutable: false };
}
