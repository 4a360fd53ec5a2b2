import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { CHART_FOLDER, type ChartValue, readChartValues } from '../../scripts/helm-chart/values.js';
import { SETTINGS, type SettingName, variablesOf } from '../../src/exporter/config/settings.js';
import { VERSION } from '../../src/exporter/version.js';
import {
  type ChartValues,
  chartObjects,
  containerOf,
  EXAMPLES_FOLDER,
  helm,
  settingsOf,
  workloadOf,
} from '../support/helm.js';
import { readDockerfile } from '../support/kustomize.js';
import { foldersOfTools, requireTool } from '../support/real-tools.js';
import { SETTING_VALUES } from '../support/setting-values.js';

/** Why Helm rejects values. */
function rejection(values: ChartValues): string {
  const { status, output } = helm('template', { values });
  expect(status, output).to.not.equal(0);
  return output;
}

/** Those that follow from other values. */
const ownSettings = ['PORT', 'SHARD', 'TOTAL_SHARDS', 'MODEL_PATH', 'FEATURES_FILE', 'TUNING_FILE', 'WEB_CONFIG_FILE'];

/** The names in the schema. */
function acceptedSettings(): readonly string[] {
  const schema = JSON.parse(readFileSync(`${CHART_FOLDER}/values.schema.json`, 'utf8')) as {
    readonly properties: { readonly settings: { readonly properties: object } };
  };
  return Object.keys(schema.properties.settings.properties);
}

describe('the values of the Helm chart', function () {
  this.timeout(300_000);

  before(function () {
    requireTool(this, 'helm');
  });

  describe('rejects, before anything is installed,', () => {
    it('a misspelled value, in every section', () => {
      expect(rejection({ serviceMonitors: { enabled: true } })).to.include("'serviceMonitors' not allowed");
      const sections = readChartValues().filter(({ children }) => children.length > 0);
      expect(sections).to.have.length.above(10);
      for (const { name } of sections)
        expect(rejection({ [name]: { misspelt: 1 } })).to.include("'misspelt' not allowed");
    });

    it('a misspelled setting, and one that follows from other values', () => {
      expect(rejection({ settings: { ANOMALY_SENSITIVTY: 5 } })).to.include("'ANOMALY_SENSITIVTY' not allowed");
      for (const name of ['PORT', 'TOTAL_SHARDS', 'MODEL_PATH']) {
        expect(rejection({ settings: { [name]: '1' } })).to.include(`'${name}' not allowed`);
      }
      expect(rejection({ settingFiles: { PROMETHEUS_PASSWORD: { secret: 'a', key: 'b' } } })).to.include('not allowed');
    });

    it('values of a wrong type or outside their range', () => {
      const wrong: readonly (readonly [ChartValues, string])[] = [
        [{ settings: { EXPLAIN: 'some' } }, '/settings/EXPLAIN'],
        // YAML without quotes.
        [{ settings: { TUNING_ANNOTATIONS: false } }, '/settings/TUNING_ANNOTATIONS'],
        [{ settings: { MAX_PODS: [1] } }, '/settings/MAX_PODS'],
        [{ settings: { MAX_PODS: 0 } }, '/settings/MAX_PODS'],
        [{ settings: { ANOMALY_SENSITIVITY: 'high' } }, '/settings/ANOMALY_SENSITIVITY'],
        [{ settings: { ANOMALY_SENSITIVITY: 41 } }, '/settings/ANOMALY_SENSITIVITY'],
        [{ settingFiles: { PROMETHEUS_CA_FILE: { key: 'a' } } }, '/settingFiles/PROMETHEUS_CA_FILE'],
        [{ image: { digest: 'latest' } }, '/image/digest'],
        [{ image: { repository: 'registry.example.org:5000/detector:0.1.0' } }, '/image/repository'],
        [{ resources: { limits: { memory: '512MB' } } }, '/resources/limits/memory'],
        [{ shards: 0 }, '/shards'],
        [{ commonLabels: { a: 1 } }, '/commonLabels/a'],
        [{ service: { port: 70000 } }, '/service/port'],
        [{ serviceMonitor: { interval: 30 } }, '/serviceMonitor/interval'],
        [{ podDisruptionBudget: { maxUnavailable: 'all' } }, '/podDisruptionBudget/maxUnavailable'],
        [{ tolerations: {} }, '/tolerations'],
        [{ prometheusRule: { disabledAlerts: ['PodAnomaly'] } }, '/prometheusRule/disabledAlerts'],
      ];
      for (const [values, place] of wrong) {
        expect(rejection(values).replaceAll('.', '/'), JSON.stringify(values)).to.include(place.slice(1));
      }
    });

    describe('what the program would refuse in settings', () => {
      const texts = (Object.keys(SETTINGS) as SettingName[])
        .filter((name) => !ownSettings.includes(SETTINGS[name].env))
        .map((name) => ({ env: SETTINGS[name].env, ...SETTING_VALUES[name] }));
      /** Neither a schema nor a template can say it: the pod ends at its start, with the reason in its log. */
      const LEFT_TO_THE_POD: Readonly<Record<string, readonly string[]>> = {
        PROMETHEUS_URL: ['http://h:99999'],
        PROMETHEUS_HEADERS: ['A B=1', 'A=1,a=2', 'A=ü', 'A=1\nB: 2', 'Content-Length=0', 'Proxy-Authorization=x'],
        PROMETHEUS_QUERY_PARAMETERS: ['query=up', 'a=1,time=5', 'start=1', 'end=1', 'step=1'],
        PROMETHEUS_SERVER_NAME: ['127.0.0.1'],
        IFOREST_CONTAMINATION: ['0', '0.0', '0.51', '1'],
        RETRAIN_SCHEDULE: ['60 * * * *'],
        RETRAIN_TIMEZONE: ['Berlin', 'Mars/Olympus'],
        HOST: ['[::1', '[::1]:8000', '[localhost]', '0.0.0.0:8000', 'localhost:8000', '999.0.0.1', ':::::', '-', '...'],
      };

      it('with the place, and without the text of what may be secret', () => {
        /** Those that the schema lets through. One run has a wrong text for each setting, as a schema reports them all. */
        const unseen: (readonly [string, string])[] = [];
        const most = Math.max(...texts.map(({ bad }) => bad.length));
        for (let index = 0; index < most; index++) {
          const wrong = texts.flatMap(({ env, bad }) =>
            bad.slice(index, index + 1).map((text) => [env, text] as const),
          );
          const { output } = helm('template', { values: { settings: Object.fromEntries(wrong) } });
          const places = [...output.matchAll(/at '\/settings\/(\w+)'/g)].map(([, env]) => env);
          unseen.push(...wrong.filter(([env]) => !places.includes(env)));
        }
        const accepted = unseen.filter(([env, text]) => {
          const { status, output } = helm('template', { values: { settings: { [env]: text } } });
          if (status !== 0) expect(output, `${env}=${text}`).to.match(new RegExp(`Expected .*\\b${env}\\b`));
          return status === 0;
        });
        const left = Object.entries(LEFT_TO_THE_POD).flatMap(([env, list]) => list.map((text) => [env, text]));
        expect(accepted.map((pair) => pair.join('=')).sort()).to.deep.equal(left.map((pair) => pair.join('=')).sort());
      });

      it('and nothing that it would accept', () => {
        const most = Math.max(...texts.map(({ good }) => good.length));
        for (let index = 0; index < most; index++) {
          const right = texts.flatMap(({ env, good }) => {
            const [text] = good[index] ?? [];
            // Passwords have another place, and what is wrong for the server is refused at once.
            if (text === undefined || /_(?:PASSWORD|TOKEN)$/.test(env) || text.includes('secret') || text === '(?i')
              return [];
            return [[env, text.trim()] as const];
          });
          const settings = Object.fromEntries(right);
          expect(settingsOf(chartObjects({ values: { settings } }))).to.deep.include(settings);
        }
      });

      it('as numbers in quotes and without, and as numbers in the place of texts', () => {
        for (const value of [41, '41']) {
          expect(rejection({ settings: { ANOMALY_SENSITIVITY: value } })).to.include('40');
        }
        expect(rejection({ settings: { CPU_RATE_WINDOW: 5 } })).to.include(
          "at '/settings/CPU_RATE_WINDOW': got number",
        );
        expect(rejection({ settings: { IFOREST_CONTAMINATION: 0.7 } })).to.include('/settings/IFOREST_CONTAMINATION');
      });

      it('as matchers without quotes', () => {
        for (const text of ['cluster', 'cluster=eu', 'cluster=~eu|us']) {
          expect(rejection({ settings: { PROMETHEUS_MATCHERS: text } })).to.include('values in quotes');
        }
      });
    });

    it('`null` for what it needs, and accepts it for everything else', () => {
      const removed = (values: readonly ChartValue[], isNeeded: boolean): ChartValues =>
        Object.fromEntries(
          values.flatMap(({ name, fallback, children }): (readonly [string, unknown])[] => {
            if (children.length > 0) return [[name, removed(children, isNeeded)]];
            return (fallback !== '' && typeof fallback !== 'object') === isNeeded ? [[name, null]] : [];
          }),
        );
      expect(settingsOf(chartObjects({ values: removed(readChartValues(), false) }))).to.have.all.keys('MODEL_PATH');
      expect(rejection(removed(readChartValues(), true)).match(/missing propert/g)).to.have.length.above(10);
      expect(rejection({ image: null })).to.include("missing property 'image'");
      expect(workloadOf(chartObjects({ values: { replicas: null } })).spec).to.not.have.property('replicas');
      // Helm leaves `null` in values that the chart has no default for.
      const nothing = Object.fromEntries(acceptedSettings().map((name) => [name, null]));
      expect(settingsOf(chartObjects({ values: { settings: nothing } }))).to.have.all.keys('MODEL_PATH');
    });

    it('passwords in what becomes a ConfigMap, with where to put them', () => {
      for (const name of ['PROMETHEUS_PASSWORD', 'PROMETHEUS_BEARER_TOKEN']) {
        expect(rejection({ settings: { [name]: 'correct' } })).to.include(
          `Expected ${name} in existingSecret or ${name}_FILE`,
        );
      }
      for (const name of ['PROMETHEUS_URL', 'PROMETHEUS_PROXY_URL']) {
        expect(rejection({ settings: { [name]: 'http://user:correct@example.org' } })).to.include(
          `Expected no password in settings.${name}`,
        );
      }
      const message = rejection({
        settings: { PROMETHEUS_HEADERS: 'X-Scope-OrgID=shop, Authorization=Bearer correct' },
      });
      expect(message).to.include('Expected no password in settings.PROMETHEUS_HEADERS');
      expect(message).to.not.include('correct');
    });

    it('an address of Prometheus that is no URL, which it does not repeat, as it may have a password', () => {
      const message = rejection({ settings: { PROMETHEUS_URL: 'user:correct@prometheus:9090' } });
      expect(message).to.include(
        'Expected an http:// or https:// URL without query and fragment in settings.PROMETHEUS_URL',
      );
      expect(message).to.not.include('correct');
    });

    it('values that contradict each other, with what to do', () => {
      expect(rejection({ shards: 2, replicas: 2 })).to.include('Expected replicas or shards, got both.');
      expect(rejection({ shards: 2, persistence: { existingClaim: 'a' } })).to.include(
        'Expected no persistence.existingClaim',
      );
      expect(rejection({ replicas: 2, persistence: { enabled: true } })).to.include('Expected ReadWriteMany');
      for (const [interval, accepted] of [
        ['5s', false],
        ['10s', true],
        ['1m5s', true],
      ] as const) {
        const values = { serviceMonitor: { enabled: true, interval, scrapeTimeout: '10s' } };
        if (accepted) chartObjects({ values });
        else expect(rejection(values)).to.include('scrapeTimeout of at most serviceMonitor.interval (5s), got 10s.');
      }
      expect(rejection({ webConfig: { content: '{}' } })).to.include('Expected webConfig.existingSecret');
      const both = {
        settings: { PROMETHEUS_CA_FILE: '/a' },
        settingFiles: { PROMETHEUS_CA_FILE: { secret: 'a', key: 'b' } },
      };
      for (const name of ['PROMETHEUS_PROXY_URL', 'PROMETHEUS_HEADERS', 'PROMETHEUS_QUERY_PARAMETERS']) {
        const text = name.endsWith('URL') ? 'http://proxy:3128' : 'a=b';
        const files = { [`${name}_FILE`]: { secret: 'a', key: 'b' } };
        const message = `Expected ${name} or ${name}_FILE, got both.`;
        expect(rejection({ settings: { [name]: text }, settingFiles: files })).to.include(message);
      }
      expect(rejection(both)).to.include('Expected PROMETHEUS_CA_FILE in settings or in settingFiles, got both.');
    });
  });

  it('accepts each setting, as text and as number, and passes it on unchanged', () => {
    const definitions = Object.values(SETTINGS);
    const own = ownSettings;
    expect([...acceptedSettings(), ...own]).to.have.members(definitions.flatMap(variablesOf));
    const isSecret = ({ env, example }: (typeof definitions)[number]) =>
      env.endsWith('_PASSWORD') || env.endsWith('_TOKEN') || example.includes('@');
    const given = definitions.filter((definition) => !own.includes(definition.env) && !isSecret(definition));
    const examplesOf = Object.fromEntries(given.map(({ env, example }) => [env, example]));
    expect(settingsOf(chartObjects({ values: { settings: examplesOf } }))).to.deep.include(examplesOf);

    const isNumber = (text: string) => text !== '' && String(Number(text)) === text;
    const numbers = given.filter(({ example }) => isNumber(example)).map(({ env, example }) => [env, Number(example)]);
    expect(numbers).to.have.length.above(10);
    const ofNumbers = settingsOf(chartObjects({ values: { settings: Object.fromEntries(numbers) } }));
    for (const [env, number] of numbers) expect(ofNumbers[String(env)]).to.equal(String(number));
    expect(settingsOf(chartObjects({ values: { settings: { INSECURE_SKIP_VERIFY: true } } }))).to.include({
      INSECURE_SKIP_VERIFY: 'true',
    });
  });
});

describe('the files of the Helm chart', () => {
  const chart = parse(readFileSync(`${CHART_FOLDER}/Chart.yaml`, 'utf8')) as {
    readonly version: string;
    readonly appVersion: string;
    readonly kubeVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  const leavesOf = (values: readonly ChartValue[]): readonly ChartValue[] =>
    values.flatMap((value) => (value.children.length > 0 ? leavesOf(value.children) : [value]));
  const defaults = parse(readFileSync(`${CHART_FOLDER}/values.yaml`, 'utf8')) as {
    readonly image: { readonly repository: string };
    readonly code: { readonly image: string };
  };

  it('have the version of the program, and the image of the Dockerfile', () => {
    expect(chart).to.include({ version: VERSION, appVersion: VERSION });
    expect(defaults.code.image).to.equal(readDockerfile().image);
  });

  it('tell how to build the image that the chart asks for', function () {
    requireTool(this, 'helm');
    this.timeout(60_000);
    const readme = readFileSync(`${CHART_FOLDER}/README.md`, 'utf8');
    const [, section = ''] = /^## With an image\n(.*?)^## /ms.exec(readme) ?? [];
    const [built, pushed] = ['build -t', 'push'].map(
      (words) => new RegExp(`^docker ${words} (\\S+)`, 'm').exec(section)?.[1] ?? expect.fail(words),
    );
    const [, repository = ''] = /image\.repository=(\S+)/.exec(section) ?? [];
    expect(built).to.equal(pushed);
    expect(readme).to.match(new RegExp(`^helm install \\S+ oci://\\S+ --version ${VERSION} `, 'm'));
    expect(containerOf(chartObjects({ values: { image: { repository } } })).image).to.equal(built);
  });

  it('name the releases of Helm and Kubernetes that are meant', () => {
    const folders = foldersOfTools(readFileSync('scripts/tools/versions.txt', 'utf8'), { K8S_ANOMALY_TOOLS: '/' });
    const testedOf = (program: string) =>
      /-v(\d+\.\d+)\.\d+$/.exec(folders.get(program) ?? '')?.[1] ?? expect.fail(program);
    const [, oldest = ''] = /^>=(\d+\.\d+)\./.exec(chart.kubeVersion) ?? [];
    const kubernetes = `on Kubernetes ${oldest} or newer (tested with ${testedOf('kube-apiserver')})`;
    const textOf = (path: string) => readFileSync(path, 'utf8').replaceAll('\n', ' ');
    const releases = `Helm 4 or 3 (tested with ${testedOf('helm')} and ${testedOf('helm-3')})`;
    expect(textOf(`${CHART_FOLDER}/README.md`)).to.include(`${releases} ${kubernetes}`);
    expect(textOf('deploy/kubernetes/README.md')).to.include(kubernetes);
  });

  it('have annotations that Artifact Hub understands', () => {
    const of = (name: string) => chart.annotations[`artifacthub.io/${name}`] ?? expect.fail(`Expected ${name}.`);
    expect(of('license')).to.equal((parse(readFileSync('package.json', 'utf8')) as { license: string }).license);
    const images = parse(of('images')) as readonly { readonly image: string }[];
    expect(images.map(({ image }) => image)).to.deep.equal([`${defaults.image.repository}:${VERSION}`]);
    const changes = parse(of('changes')) as readonly { readonly kind: string; readonly description: string }[];
    for (const { kind, description } of changes) {
      expect(['added', 'changed', 'deprecated', 'removed', 'fixed', 'security']).to.include(kind);
      expect(description).to.match(/^[A-Z].*\.$/);
    }
  });

  it('describe each value in whole sentences', () => {
    const leaves = leavesOf(readChartValues());
    expect(leaves).to.have.length.above(60);
    for (const { name, description } of leaves) expect(description, name).to.match(/^[A-Z`].*\.$/);
  });

  it('list all examples, and only those', () => {
    const readme = readFileSync(`${CHART_FOLDER}/README.md`, 'utf8');
    const listed = [...readme.matchAll(/^\| \[`([\w-]+\.yaml)`\]\(\.\.\/examples\/([\w-]+\.yaml)\)/gm)];
    expect(listed.map(([, name]) => name)).to.have.members(readdirSync(EXAMPLES_FOLDER));
    for (const [, name, path] of listed) expect(path).to.equal(name);
  });
});
