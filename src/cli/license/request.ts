import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { OperatorError } from '../../core/errors.ts';
import type { HostFacts } from '../../hardware/components.ts';
import { exportPublicKey } from '../../licensing/keys.ts';
import { createRequest, type LicenseRequest } from '../../licensing/request.ts';
import {
  describeRequest,
  drawRequest,
  writeRequestFile,
  writeRequestGroups,
} from '../../licensing/request-texts.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { writeNewFile } from '../write-file.ts';
import { openLocalLicenses } from './local-licenses.ts';

const SALT_BYTES = 16;

export interface RequestOptions {
  readonly out?: string;
  readonly groups?: true;
  readonly qr?: true;
}

/** Prints or writes a request for a licence of this host. */
export async function requestLicense(
  { out, ...forms }: RequestOptions,
  command: Command,
): Promise<void> {
  const { sources } = await openLocalLicenses(command);
  const facts = await sources.readFacts('all');
  const key = await sources.openHolderKey();
  if (!facts.ok) {
    throw new OperatorError('OS', `no request can be made: ${facts.error}; try again`);
  }
  if (!key.ok) {
    throw new OperatorError('OS', `the key of this host cannot be kept: ${key.error}`);
  }
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  const request = createRequest(facts.value, exportPublicKey(key.value), salt);
  if (out !== undefined) {
    await writeNewFile({ path: out, text: writeRequestFile(request) });
  }
  await writeOutput(
    out === undefined
      ? formatRequest(request, forms)
      : `${formatForms(request, forms)}\nWritten to ${printable(out)}: send this file to your vendor.\n`,
  );
  process.stderr.write(describeUnreadable(facts.value));
}

type Forms = Pick<RequestOptions, 'groups' | 'qr'>;

/** In the forms that are asked for, else as the file that it would be. */
function formatRequest(request: LicenseRequest, forms: Forms): string {
  return forms.groups === undefined && forms.qr === undefined
    ? writeRequestFile(request)
    : formatForms(request, forms);
}

function formatForms(request: LicenseRequest, { groups, qr }: Forms): string {
  const parts = [
    ...(groups === undefined
      ? []
      : [
          `\nTo type or read out; the last letters of a line check it:\n\n${writeRequestGroups(request)}\n`,
        ]),
    ...(qr === undefined
      ? []
      : [`\n${drawRequest(request, { colour: process.stdout.isTTY === true })}`]),
  ];
  return `${describeRequest(request)}${parts.join('')}`;
}

/** What root alone may read helps only where the server may read it, too. */
function describeUnreadable({ unreadable }: HostFacts): string {
  return unreadable.length === 0
    ? ''
    : `This user may not read: ${unreadable.join(', ')}; the request goes without. Make it as the user that the server runs as: what the server may not read would not match.\n`;
}
