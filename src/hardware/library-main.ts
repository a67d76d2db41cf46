/**
 * The process in which the libraries are asked: `node library-main.ts KIND,KIND... [DISK]`. Writes
 * digests as JSON; raw values stay in here.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import nodeMachineId from 'node-machine-id';
import systemInformation from 'systeminformation';
import { type Component, type ComponentKind, digestValue } from './components.ts';
import { normaliseSerial, normaliseUuid } from './dmi.ts';
import { normaliseMachineId } from './machine-id.ts';

const [, , kindList = '', diskName = ''] = process.argv;

const ask: Record<ComponentKind, () => Promise<string | undefined>> = {
  'product-uuid': async () => normaliseUuid((await systemInformation.system()).uuid),
  'board-serial': async () => normaliseSerial((await systemInformation.baseboard()).serial),
  'product-serial': async () => normaliseSerial((await systemInformation.system()).serial),
  'root-disk': async () => {
    const disks = await systemInformation.diskLayout();
    const root = disks.find(({ device }) => device === `/dev/${diskName}`);
    return normaliseSerial(root?.serialNum ?? '');
  },
  // Its interfaces are never asked for: they take a minute where there are many, and the files
  // of every Linux tell them.
  'network-card': async () => undefined,
  'cpu-model': async () => undefined,
  'machine-id': async () => readMachineId(await nodeMachineId.machineId(true)),
};

/** node-machine-id answers the host's name when it finds nothing else, and does not say so. */
function readMachineId(answer: string): string | undefined {
  const names = [hostname(), readHostNameFile()].map((name) => name.toLowerCase());
  return names.includes(answer.trim().toLowerCase()) ? undefined : normaliseMachineId(answer);
}

function readHostNameFile(): string {
  try {
    return readFileSync('/etc/hostname', 'utf8').trim();
  } catch {
    return ''; // the kernel's name is compared anyway
  }
}

const components: Component[] = [];
for (const kind of kindList.split(',') as ComponentKind[]) {
  try {
    const value = await ask[kind]();
    if (value !== undefined) components.push({ kind, digest: digestValue(kind, value) });
  } catch {
    // What a library cannot find out is one component less; its message could hold a value.
  }
}
process.stdout.write(JSON.stringify(components));
