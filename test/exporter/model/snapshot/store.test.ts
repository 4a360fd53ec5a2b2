import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { SnapshotError } from '../../../../src/exporter/model/snapshot/snapshot-error.js';
import { type FileSystem, LARGEST_FILE_BYTES, ModelStore } from '../../../../src/exporter/model/snapshot/store.js';
import { rejection } from '../../../support/rejection.js';
import { eventually, within } from '../../../support/waiting.js';

const OLD = Buffer.from('the old model');
const NEW = Buffer.from('the new model, which is longer');

/** What a file system says, without the words. */
const failure = (code: string) => Object.assign(new Error(`${code}: as the test wants it`), { code });

describe('model store', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-store-'));
    path = join(folder, 'model');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const storeWith = (files?: FileSystem) => new ModelStore(path, Date.now, files);

  it('reads what was written, which only its user may read', async () => {
    const store = storeWith();
    expect(await store.read()).to.equal(undefined);
    await store.write(OLD);
    await store.write(NEW);
    expect(await store.read()).to.deep.equal(NEW);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['model']);
  });

  /** The calls of one write, in their order, by what they are called on. */
  const STEPS = [
    'open file',
    'write file',
    'sync file',
    'close file',
    'rename',
    'open folder',
    'sync folder',
    'close folder',
  ];

  /** A file system whose call number `fatal` fails, and the calls so far. */
  function failingAt(fatal: number, code: string) {
    const calls: string[] = [];
    const step = <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
      calls.push(name);
      return calls.length - 1 === fatal ? Promise.reject(failure(code)) : work();
    };
    const open = (async (at: string, flags: string, mode?: number) => {
      const what = at === folder ? 'folder' : 'file';
      const file = await step(`open ${what}`, () => nodeFiles.open(at, flags, mode));
      return {
        writeFile: (bytes: Uint8Array) => step(`write ${what}`, () => file.writeFile(bytes)),
        sync: () => step(`sync ${what}`, () => file.sync()),
        close: () => step(`close ${what}`, () => Promise.resolve()).finally(() => file.close()),
      };
    }) as unknown as FileSystem['open'];
    const rename = (from: string, to: string) => step('rename', () => nodeFiles.rename(from, to));
    return { calls, files: { ...nodeFiles, open, rename } as FileSystem };
  }

  it('writes a file beside the old one, synchronises it, renames it, and synchronises the folder', async () => {
    const { calls, files } = failingAt(-1, 'none');
    await storeWith(files).write(NEW);
    expect(calls).to.deep.equal(STEPS);
  });

  STEPS.forEach((step, index) => {
    it(`leaves the old file or the new one, and nothing beside it, when call ${index} (${step}) fails`, async () => {
      await storeWith().write(OLD);
      const error = await rejection(storeWith(failingAt(index, 'ENOSPC').files).write(NEW), Error);
      expect(error).to.include({ code: 'ENOSPC' });
      const expected = step.endsWith('folder') ? NEW : OLD;
      expect(readFileSync(path)).to.deep.equal(expected);
      expect(readdirSync(folder)).to.deep.equal(['model']);
    });
  });

  it('does without the synchronised folder where the file system knows no such thing', async () => {
    await storeWith(failingAt(STEPS.indexOf('sync folder'), 'EINVAL').files).write(NEW);
    expect(readFileSync(path)).to.deep.equal(NEW);
  });

  it('fails where the folder is missing, or the path is one', async () => {
    const missing = new ModelStore(join(folder, 'missing', 'model'), Date.now);
    expect(await missing.read()).to.equal(undefined);
    expect(await rejection(missing.write(NEW), Error)).to.include({ code: 'ENOENT' });
    const directory = new ModelStore(folder, Date.now);
    await rejection(directory.read(), SnapshotError);
    await rejection(directory.write(NEW), Error);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('reads no device, and waits for no pipe', async () => {
    symlinkSync('/dev/zero', path);
    const error = await rejection(within(60_000, 'the device', storeWith().read()), SnapshotError);
    expect(error.message).to.equal('it is not a file');
    rmSync(path);
    const made = spawn('mkfifo', [path]);
    expect((await once(made, 'close'))[0]).to.equal(0);
    await rejection(within(60_000, 'the pipe', storeWith().read()), SnapshotError);
  });

  it('reads no file of gigabytes', async () => {
    const file = await nodeFiles.open(path, 'w');
    await file.truncate(4 * 2 ** 30);
    await file.close();
    const error = await rejection(storeWith().read(), SnapshotError);
    expect(error.message).to.equal('it has 4294967296 bytes where at most 536870912 are expected');
  });

  it('writes no file that it would not read, and leaves the old one', async () => {
    const store = storeWith();
    await store.write(OLD);
    const error = await rejection(store.write(new Uint8Array(LARGEST_FILE_BYTES + 1)), SnapshotError);
    expect(error.message).to.equal('it has 536870913 bytes where at most 536870912 are expected');
    expect(readFileSync(path)).to.deep.equal(OLD);
    expect(readdirSync(folder)).to.deep.equal(['model']);
  });

  it('removes what processes left behind that are gone, and nothing else', async () => {
    const names = ['.model.0c5a.tmp', '.model.young.tmp', '.model.other', '.models.0c5a.tmp', 'model.tmp', 'other'];
    for (const name of names) {
      writeFileSync(join(folder, name), '');
      const longAgo = Date.now() / 1000 - 61;
      if (!name.includes('young')) utimesSync(join(folder, name), longAgo, longAgo);
    }
    await storeWith().removeLeftovers();
    expect(readdirSync(folder)).to.have.members(names.slice(1));
    await new ModelStore('/does/not/exist', Date.now).removeLeftovers();
  });

  it('lets many write at once: the file is one of theirs, whole', async () => {
    const contents = Array.from({ length: 20 }, (_, index) => Buffer.alloc(100_000, index));
    await Promise.all(contents.map((content) => storeWith().write(content)));
    const [first] = readFileSync(path);
    expect(readFileSync(path)).to.deep.equal(contents[first ?? -1]);
    expect(readdirSync(folder)).to.deep.equal(['model']);
  });

  describe('in a process of its own', () => {
    const WRITER = fileURLToPath(new URL('../../../support/write-models.js', import.meta.url));
    const children: ChildProcess[] = [];

    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });

    it('that is killed while it writes leaves the old file or the new one, twenty times', async () => {
      let writes = 0;
      for (let round = 0; round < 20; round++) {
        const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
        children.push(child);
        child.stdout?.on('data', (text: Buffer) => {
          writes += text.length;
        });
        const ended = once(child, 'close');
        const before = writes;
        await eventually(() => expect(writes).to.be.above(before));
        await sleep(Math.random() * 20);
        child.kill('SIGKILL');
        await ended;
        const content = readFileSync(path);
        expect(content.length).to.equal(1_000_000);
        expect(content.equals(Buffer.alloc(content.length, content[0]))).to.equal(true);
      }
      for (const name of readdirSync(folder)) {
        const longAgo = Date.now() / 1000 - 61;
        utimesSync(join(folder, name), longAgo, longAgo);
      }
      await storeWith().removeLeftovers();
      expect(readdirSync(folder)).to.deep.equal(['model']);
    });

    it('that may write no more, in the middle of the file, leaves the old one and nothing beside it', async () => {
      await storeWith().write(OLD);
      // The kernel fails the write that passes the limit, after it has taken a part of it: as on a full disk.
      const script = `trap '' XFSZ; ulimit -f 256; exec "$0" "$1" "$2" once`;
      const child = spawn('bash', ['-c', script, process.execPath, WRITER, path], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      children.push(child);
      let said = '';
      child.stdout?.on('data', (text: Buffer) => {
        said += text.toString();
      });
      await within(60_000, 'the writer', once(child, 'close'));
      expect(said).to.equal('EFBIG');
      expect(readFileSync(path)).to.deep.equal(OLD);
      expect(readdirSync(folder)).to.deep.equal(['model']);
    });
  });
});
