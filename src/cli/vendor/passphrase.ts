import { setImmediate } from 'node:timers/promises';
import { read } from 'read';
import { type Environment, readEnvironment } from '../../config/environment.ts';
import { OperatorError } from '../../core/errors.ts';
import { allOrThrow } from './problems.ts';
import { readNamedFile } from './read-file.ts';

const passphraseVariable = 'EDGE_INFER_VENDOR_PASSPHRASE';
const MIN_CHARACTERS = 12;
const MAX_FILE_BYTES = 4096;

export interface PassphraseSource {
  /** `--passphrase-file`: its first line. */
  readonly file?: string | undefined;
  readonly environment?: Environment;
  /** Where a person is asked, when there is one. */
  readonly terminal?: Terminal;
}

interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const ownTerminal: Terminal = { input: process.stdin, output: process.stderr };

/** The passphrase of a key that exists, from a file, the environment or, failing both, a person. */
export async function readPassphrase(source: PassphraseSource, of: string): Promise<string> {
  return (await readGiven(source)) ?? normalize(await ask(`Passphrase of ${of}:`, source.terminal));
}

/** A passphrase for a new key: long enough, and a person types it twice. */
export async function readNewPassphrase(source: PassphraseSource): Promise<string> {
  const given = await readGiven(source);
  if (given !== undefined) {
    return checkLength(given);
  }
  const typed = checkLength(
    normalize(await ask(`New passphrase (${MIN_CHARACTERS} characters or more):`, source.terminal)),
  );
  if (normalize(await ask('The same again:', source.terminal)) !== typed) {
    throw new OperatorError('DATA', 'expected the same passphrase twice, found two; nothing done');
  }
  return typed;
}

async function readGiven({
  file,
  environment = readEnvironment(),
}: PassphraseSource): Promise<string | undefined> {
  if (file === undefined) {
    const { [passphraseVariable]: given } = environment;
    return given === undefined ? undefined : normalize(given);
  }
  const { bytes } = allOrThrow({
    bytes: await readNamedFile('--passphrase-file', file, MAX_FILE_BYTES),
  });
  const [line = ''] = bytes.toString().split(/\r?\n/);
  return normalize(line);
}

/** The same for every keyboard: some type an accent as a character of its own. */
function normalize(text: string): string {
  return text.normalize('NFC');
}

function checkLength(passphrase: string): string {
  const { length } = [...passphrase];
  if (length < MIN_CHARACTERS) {
    const message = `expected a passphrase of at least ${MIN_CHARACTERS} characters, found ${length}`;
    throw new OperatorError('DATA', message);
  }
  return passphrase;
}

async function ask(prompt: string, { input, output } = ownTerminal): Promise<string> {
  if (!input.isTTY || !output.isTTY) {
    throw new OperatorError(
      'USAGE',
      `expected a terminal to ask for the passphrase, found none; use --passphrase-file or the variable ${passphraseVariable}`,
    );
  }
  const cancelled = new Promise<never>((_, reject) => {
    // On Ctrl-D the prompt just closes and would be waited for without end.
    input.once('pause', () => {
      void setImmediate().then(() => reject(new OperatorError('USAGE', 'no passphrase was typed')));
    });
  });
  const typed = read({ prompt, silent: true, input, output }).catch((error: unknown) => {
    throw new OperatorError('USAGE', 'no passphrase was typed', { cause: error });
  });
  try {
    return await Promise.race([typed, cancelled]);
  } finally {
    output.write('\n'); // the Enter key was not echoed either
  }
}
