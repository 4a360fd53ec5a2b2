import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { readDockerfile } from './support/kustomize.js';
import { requireTool } from './support/real-tools.js';

const FOLDER = '.github/workflows';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly uses?: string;
  readonly needs?: string | readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const files = readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')] as const);
const workflows = files.map(([name, text]) => [name, parse(text) as Workflow] as const);
const jobs = workflows.flatMap(([name, { jobs: all }]) =>
  Object.entries(all).map(([job, content]) => [`${name}: ${job}`, content] as const),
);
const steps = jobs.flatMap(([name, { steps: all = [] }]) => all.map((step) => [name, step] as const));
const release = workflows.find(([name]) => name === 'release.yaml')?.[1] as Workflow;
const writes = ({ permissions }: Job) =>
  Object.entries(permissions).flatMap(([name, access]) => (access === 'write' ? [name] : []));

describe('workflows', () => {
  it('are the tests and the release, on events of those who may push and on pull requests without their secrets', () => {
    expect(workflows.map(([name, { on }]) => [name, Object.keys(on)])).to.deep.equal([
      ['ci.yaml', ['pull_request', 'push', 'workflow_call']],
      ['release.yaml', ['push']],
    ]);
    expect(release.on).to.deep.equal({ push: { tags: ['v*'] } });
  });

  it('have the permissions that each job needs, and no others', () => {
    for (const [name, { permissions }] of workflows) expect(permissions, name).to.deep.equal({});
    const publishing = ['packages', 'id-token', 'attestations'];
    const writing = jobs.flatMap(([name, job]) => (writes(job).length > 0 ? [[name, writes(job)]] : []));
    expect(writing).to.deep.equal([
      ['release.yaml: image', publishing],
      ['release.yaml: chart', publishing],
      ['release.yaml: release', ['contents']],
    ]);
  });

  it('run code of the repository and of npm only where nothing can be written', () => {
    for (const [name, job] of jobs.filter(([, one]) => writes(one).length > 0)) {
      for (const { run = '' } of job.steps ?? []) expect(run, name).to.not.match(/\b(npm|npx|node)\b|scripts\/|\.ci\//);
    }
  });

  it('pin each action by its commit, beside its version, the same everywhere', () => {
    const pins = files.flatMap(([name, text]) =>
      [...text.matchAll(/\buses: (\S+)(.*)$/gm)]
        .filter(([, action = '']) => !action.startsWith('./'))
        .map(([, action = '', comment = '']) => {
          expect(action, name).to.match(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
          expect(comment, action).to.match(/^ # v\d+\.\d+\.\d+$/);
          return [action.split('@')[0], `${action}${comment}`] as const;
        }),
    );
    expect(pins.length).to.be.above(10);
    const actions = new Set(pins.map(([action]) => action));
    expect(new Set(pins.map(([, pin]) => pin)).size).to.equal(actions.size);
  });

  it('give scripts no text of events in place of code: it comes in variables', () => {
    for (const [name, { run = '' }] of steps) expect(run, name).to.not.include('${{');
  });

  it('use the token of the run alone, hand it to actions or variables, and print none', () => {
    for (const [name, text] of files) {
      const uses = [...text.matchAll(/^ *(.*)\$\{\{[^}]*\bsecrets\b[^}]*\}\}/gm)];
      for (const [line, key] of uses) {
        expect(line, name).to.match(/\$\{\{ secrets\.GITHUB_TOKEN \}\}$/);
        expect(['password: ', 'GH_TOKEN: '], line).to.include(key);
      }
      expect(text, name).to.not.include('secrets: inherit');
    }
    for (const [name, { run = '' }] of steps) expect(run, name).to.not.match(/TOKEN|\bset -\w*x|printenv|\benv$/m);
    for (const [name, step] of steps.filter(([, { uses = '' }]) => uses.startsWith('actions/checkout@'))) {
      expect(step.with, name).to.include({ 'persist-credentials': false });
    }
  });

  it('end', () => {
    for (const [name, job] of jobs) {
      if (job.uses === undefined) expect(job['timeout-minutes'], name).to.be.within(5, 90);
    }
  });

  it('run what there is', () => {
    const { scripts } = parse(readFileSync('package.json', 'utf8')) as { readonly scripts: object };
    const commands = steps.flatMap(([, { run = '' }]) => [...run.matchAll(/npm run (?:--silent )?([\w:]+)/g)]);
    expect(commands.map(([, script]) => script)).to.include('release:notes');
    for (const [, script = ''] of commands) expect(scripts).to.have.property(script);
    const [, major = ''] = /^node:(\d+)-/.exec(readDockerfile().image) ?? [];
    const versions = steps.flatMap(([, { with: input = {} }]) => input['node-version'] ?? []);
    expect(new Set(versions.map(String))).to.deep.equal(new Set([major]));
  });

  it('are right for actionlint', function () {
    requireTool(this, 'actionlint');
    const { status, stdout, stderr } = spawnSync('actionlint', ['-shellcheck=', '-pyflakes='], { encoding: 'utf8' });
    expect(stdout + stderr).to.equal('');
    expect(status).to.equal(0);
  });
});

describe('the release', () => {
  const stepsOf = (job: string) => release.jobs[job]?.steps ?? expect.fail(`Expected a job ${job}.`);
  const using = (job: string, action: string) => stepsOf(job).filter(({ uses = '' }) => uses.startsWith(`${action}@`));

  it('begins with the same tests as a pull request, and publishes nothing without them', () => {
    const tests = workflows.find(([name]) => name === 'ci.yaml')?.[1].jobs.test?.steps ?? [];
    expect(tests.some(({ run = '' }) => /^\.ci\/run$/m.test(run))).to.equal(true);
    expect(release.jobs.test?.uses).to.equal('./.github/workflows/ci.yaml');
    const neededBy = (job: string): readonly string[] =>
      [release.jobs[job]?.needs ?? []].flat().flatMap((one) => [one, ...neededBy(one)]);
    for (const job of Object.keys(release.jobs).filter((one) => one !== 'test')) {
      expect(neededBy(job), job).to.include('test');
    }
    expect(neededBy('release')).to.include.members(['notes', 'image', 'chart-archive', 'chart']);
  });

  it('builds the platforms that the chart names, without emulation', () => {
    const [build] = using('image', 'docker/build-push-action');
    const { annotations } = parse(readFileSync('deploy/helm/k8s-anomaly-detector/Chart.yaml', 'utf8')) as {
      readonly annotations: Readonly<Record<string, string>>;
    };
    const [image] = parse(annotations['artifacthub.io/images'] ?? '') as readonly { readonly platforms: string[] }[];
    expect(build?.with).to.include({ platforms: image?.platforms.join(','), push: true, sbom: true });
    expect(using('image', 'docker/setup-qemu-action')).to.deep.equal([]);
  });

  it('signs and attests image and chart by their digests', () => {
    for (const [job, count] of [
      ['image', 2],
      ['chart', 1],
    ] as const) {
      const sign = stepsOf(job).find(({ run = '' }) => run.startsWith('cosign sign --yes '));
      expect(Object.values(sign?.env ?? {}), job).to.have.lengthOf(1);
      for (const value of Object.values(sign?.env ?? {})) expect(value, job).to.match(/\}\}@\$\{\{ \S+\.digest \}\}$/);
      const attestations = using(job, 'actions/attest');
      expect(attestations, job).to.have.lengthOf(count);
      for (const { with: input } of attestations) {
        expect(input?.['subject-digest'], job).to.match(/^\$\{\{ \S+\.digest \}\}$/);
        expect(input, job).to.include({ 'push-to-registry': true });
      }
    }
  });

  it('has the name of the registry in one place', () => {
    const text = files.map(([, one]) => one).join('\n');
    expect(text.match(/ghcr\.io/g)).to.have.lengthOf(1);
  });
});

describe('Dependabot', () => {
  it('keeps actions, packages and the image', () => {
    const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8')) as {
      readonly updates: readonly { readonly 'package-ecosystem': string }[];
    };
    const kept = updates.map((one) => one['package-ecosystem']);
    expect(kept).to.have.members(['github-actions', 'npm', 'docker']);
  });
});
