import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyRevocationList } from '../../../src/licensing/revocations.ts';
import { createVendor, type Vendor } from './vendor-fixture.ts';

let vendor: Vendor;
beforeAll(async () => {
  vendor = await createVendor();
});

const build = ['--build', 'build.json'];

/** Issues a permanent licence and returns its id. */
async function issue(file: string, ...more: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await vendor.run(
    ...['issue', '--request', 'host.req', '--kind', 'permanent', '--tier', 'cpu', ...build],
    ...['--deploy-name', 'imagenet', '--customer', 'ACME', '--key', 'permanent.key', '--out', file],
    ...more,
  );
  expect(exitCode, stderr).toBe(0);
  return (await vendor.readLicense(file)).claims.lic_id;
}

const reissue = (out: string, ...more: readonly string[]) =>
  vendor.run(
    ...['reissue', '--request', 'other.req', '--key', 'permanent.key', '--out', out],
    ...build,
    ...more,
  );

async function readStatuses(): Promise<Record<string, string>> {
  const { stdout } = await vendor.run('list');
  const rows = [...stdout.matchAll(/^(lic-\w+) .* ((?:live|ended|replaced|revoked).*)$/gm)];
  return Object.fromEntries(rows.map(([, licId = '', status = '']) => [licId, status]));
}

describe('vendor reissue', () => {
  test('moves a licence to another host once the old one proves to have given it up', async () => {
    const licId = await issue('old.lic', '--updates-until', '2028-12-31');
    await vendor.writeRelease('old.release', licId);
    expect((await reissue('new.lic', '--release', 'old.release')).stderr).toBe('');
    const { claims: old } = await vendor.readLicense('old.lic');
    const { claims } = await vendor.readLicense('new.lic');
    expect(claims).toEqual({
      ...old,
      lic_id: claims.lic_id,
      iat: claims.iat,
      holder: claims.holder,
      fp: claims.fp,
      replaces: [licId],
    });
    expect(claims.holder).not.toBe(old.holder);
    expect(await readStatuses()).toMatchObject({
      [licId]: `replaced by ${claims.lic_id}`,
      [claims.lic_id]: `live, for ${licId}, released`,
    });

    const again = await reissue('third.lic', '--release', 'old.release');
    expect(again.exitCode).toBe(65);
    expect(again.stderr).toContain(`${licId} was replaced already, by ${claims.lic_id}`);
  });

  test('refuses a proof of another host, or none', async () => {
    const licId = await issue('kept.lic');
    await vendor.writeRelease('forged.release', licId, generateKeyPairSync('ed25519').privateKey);
    const forged = await reissue('no.lic', '--release', 'forged.release');
    expect(forged.exitCode).toBe(65);
    expect(forged.stderr).toContain('was signed by another host than the one it was issued to');
    const text = await readFile(join(vendor.folder, 'forged.release'), 'utf8');
    await writeFile(join(vendor.folder, 'damaged.release'), text.replace(/[a-z]\n-----END/, '-$&'));
    expect((await reissue('no.lic', '--release', 'damaged.release')).exitCode).toBe(65);
    const both = await reissue('no.lic', '--release', 'forged.release', '--lost', licId);
    expect(both).toMatchObject({ exitCode: 64 });
    expect(await reissue('no.lic')).toMatchObject({ exitCode: 64 });
    expect(await readdir(vendor.folder)).not.toContain('no.lic');
  });

  test('of a dead machine is recorded as such, and tells what is left to do', async () => {
    const licId = await issue('dead.lic');
    const { exitCode, stderr } = await reissue('instead.lic', '--lost', licId);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('"edge-infer vendor revoke" withdraws it');
    const { claims } = await vendor.readLicense('instead.lic');
    expect(await readStatuses()).toMatchObject({ [claims.lic_id]: `live, for ${licId}, lost` });
    expect(await reissue('no.lic', '--lost', 'lic-of-nobody')).toMatchObject({ exitCode: 65 });
  });

  test('leaves a trial its end', async () => {
    await vendor.run(
      ...['issue', '--request', 'host.req', '--kind', 'trial', '--tier', 'cpu', '--days', '3'],
      ...['--deploy-name', 'imagenet', '--customer', 'ACME', '--key', 'trial.key', ...build],
      ...['--out', 'trial.lic'],
    );
    const { claims: old } = await vendor.readLicense('trial.lic');
    await reissue('moved-trial.lic', '--lost', old.lic_id, '--key', 'trial.key');
    expect((await vendor.readLicense('moved-trial.lic')).claims.exp).toBe(old.exp);
  });
});

describe('vendor revoke', () => {
  const readList = async (file: string) => {
    const list = verifyRevocationList(await readFile(join(vendor.folder, file)), vendor.build);
    expect(list).toMatchObject({ ok: true });
    return list.ok ? list.value.revoked : [];
  };

  test('adds to the list beside the build file, signed for permanent licences', async () => {
    const first = await issue('first.lic');
    const second = await issue('second.lic');
    const revoke = ['revoke', '--key', 'permanent.key', ...build];
    await vendor.run(...revoke, first, '--reason', 'never paid');
    expect(await readList('revoked.lic')).toEqual([{ lic_id: first, reason: 'never paid' }]);
    await vendor.run(...revoke, second);
    const both = [{ lic_id: first, reason: 'never paid' }, { lic_id: second }];
    expect(await readList('revoked.lic')).toEqual(both);
    expect(await readStatuses()).toMatchObject({
      [first]: 'revoked: never paid',
      [second]: 'revoked',
    });

    // As after the loss of the key that signed it: from the register alone.
    await vendor.run('revoke', '--key', 'next-permanent.key', ...build, '--out', 'again.lic');
    expect(await readList('again.lic')).toEqual(both);
    // As after the loss of the register: what the list holds stays.
    const third = 'lic-known-from-mail';
    await vendor.run(...revoke, third, '--unregistered', '--register', 'new.jsonl');
    expect(await readList('revoked.lic')).toEqual([...both, { lic_id: third }]);
  });

  test('names every licence that is unknown, and changes nothing', async () => {
    const before = await readFile(join(vendor.folder, 'revoked.lic'), 'utf8');
    const { exitCode, stderr } = await vendor.run(
      ...['revoke', 'lic-unknown-1', 'lic-unknown-2', '--key', 'trial.key', ...build],
    );
    expect(exitCode).toBe(65);
    expect(stderr).toMatch(/expected a key for permanent licences, found trial-/);
    expect(stderr).toMatch(/lic-unknown-1 is not in the register.+\n +lic-unknown-2 is not in/);
    expect(await readFile(join(vendor.folder, 'revoked.lic'), 'utf8')).toBe(before);
    const wrong = await vendor.run('revoke', '../x', '--key', 'permanent.key', ...build);
    expect(wrong).toMatchObject({ exitCode: 64 });
  });

  test('replaces no list that it cannot read', async () => {
    await writeFile(join(vendor.folder, 'other.lic'), 'something');
    const { exitCode, stderr } = await vendor.run(
      ...['revoke', '--key', 'permanent.key', ...build, '--out', 'other.lic'],
    );
    expect(exitCode).toBe(65);
    expect(stderr).toContain('take it away to have the list written from the register alone');
    expect(await readFile(join(vendor.folder, 'other.lic'), 'utf8')).toBe('something');
  });
});

describe('vendor resign', () => {
  test('signs every live licence of a key with another', async () => {
    const { kid } = vendor.keys.permanent;
    const licId = await issue('living.lic');
    const statuses = await readStatuses();
    const live = Object.keys(statuses).filter((each) => statuses[each]?.startsWith('live'));
    const resign = ['resign', kid, '--key', 'next-permanent.key', ...build];
    const { exitCode, stderr } = await vendor.run(...resign, '--out-dir', 'resigned');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const files = await readdir(join(vendor.folder, 'resigned'));
    expect(files).toContain(`${licId}.lic`);
    expect(files).not.toContain(`${(await vendor.readLicense('first.lic')).claims.lic_id}.lic`);
    for (const file of files) {
      expect(live).toContain(file.replace('.lic', ''));
      expect((await vendor.readLicense(`resigned/${file}`)).kid).toBe(
        vendor.keys.nextPermanent.kid,
      );
    }
    const before = (await vendor.readLicense('living.lic')).claims;
    expect((await vendor.readLicense(`resigned/${licId}.lic`)).claims).toEqual(before);

    const again = await vendor.run(...resign, '--out-dir', 'resigned-again');
    expect(again).toMatchObject({ exitCode: 65 });
    expect(again.stderr).toContain(`no live licence in the register is signed with ${kid}`);
  });

  test('writes nothing into a folder that holds something', async () => {
    await mkdir(join(vendor.folder, 'full/of'), { recursive: true });
    const { nextPermanent, trial } = vendor.keys;
    const { exitCode, stderr } = await vendor.run(
      ...['resign', nextPermanent.kid, '--key', 'trial.key', ...build, '--out-dir', 'full'],
    );
    expect(exitCode).toBe(65);
    expect(stderr).toContain('expected an empty folder or none, found more');
    const wrong = await vendor.run(
      ...['resign', nextPermanent.kid, '--key', 'trial.key', ...build, '--out-dir', 'other'],
    );
    expect(wrong.stderr).toContain(`expected a key for permanent licences, found ${trial.kid}`);
    expect((await readdir(vendor.folder)).filter((name) => name.includes('part'))).toEqual([]);
  });
});
