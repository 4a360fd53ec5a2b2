import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { buildDashboard } from '../../scripts/dashboard/build.js';
import { fillVariables } from '../../scripts/dashboard/grafana.js';
import {
  CHART_DASHBOARD_FILE,
  DASHBOARD_FILE,
  expressionsOf,
  type PanelJson,
  panelsOf,
  readDashboard,
} from '../../scripts/dashboard/json.js';
import { type KnownMetrics, knownMetrics, selectorsIn, unknownNames } from '../../scripts/dashboard/promql.js';

const dashboard = readDashboard();
const panels = panelsOf(dashboard).map(({ panel }) => panel);
const text = readFileSync(DASHBOARD_FILE, 'utf8');

/** As a query is once Grafana has filled it in. */
const filled = (expression: string) =>
  fillVariables(expression, { prometheusUrl: '', fromSeconds: 0, toSeconds: 3600, stepSeconds: 15 });

/** Every value below a key of that name, wherever it stands. */
function valuesOf(name: string, within: unknown): unknown[] {
  if (typeof within !== 'object' || within === null) return [];
  return Object.entries(within).flatMap(([key, value]) => [...(key === name ? [value] : []), ...valuesOf(name, value)]);
}

describe('deploy/grafana/dashboard.json', () => {
  it('is what the builders of Grafana’s SDK make, whose types are its schema', () => {
    const built: unknown = JSON.parse(JSON.stringify(buildDashboard()));
    expect(dashboard, 'Run `npm run dashboard` and commit the file.').to.deep.equal(built);
  });

  it('is in the Helm chart as well', () => {
    const copy: unknown = JSON.parse(readFileSync(CHART_DASHBOARD_FILE, 'utf8'));
    expect(copy, 'Run `npm run dashboard` and commit the file.').to.deep.equal(dashboard);
  });

  describe('can be provisioned by file, by sidecar and by import', () => {
    it('has an identifier of its own, which links keep to, and none of a Grafana', () => {
      expect(dashboard.uid).to.equal('k8s-anomaly-detector');
      expect(dashboard).to.not.have.any.keys('id', 'version', 'gnetId', 'iteration');
    });

    it('asks nothing when it is imported, which provisioning cannot answer', () => {
      expect(dashboard).to.not.have.any.keys('__inputs', '__requires', '__elements');
      expect(text).to.not.include('DS_');
    });

    it('names no data source, but the variable that chooses one, everywhere', () => {
      const references = valuesOf('datasource', dashboard);
      for (const reference of references) {
        expect(reference).to.deep.equal({ type: 'prometheus', uid: `\${datasource}` });
      }
      const queried = [...panels, ...panels.flatMap(({ targets }) => targets), ...dashboard.annotations.list];
      for (const entry of queried) expect(entry).to.have.property('datasource');
      expect(references).to.have.lengthOf(queried.length + 4);
    });

    it('has a schema version that Grafana 10 knows already', () => {
      expect(dashboard.schemaVersion).to.equal(39);
    });

    it('fits into the annotation that `kubectl apply` makes of a ConfigMap', () => {
      expect(JSON.stringify(text).length).to.be.lessThan(250 * 1024);
    });
  });

  describe('variables', () => {
    it('are the data source, one cluster, and what narrows the pods, each offering all', () => {
      const { list } = dashboard.templating;
      expect(list.map(({ name }) => name)).to.deep.equal(['datasource', 'cluster', 'namespace', 'workload', 'pod']);
      expect(list[0]).to.include({ type: 'datasource', query: 'prometheus' });
      expect(list[1]).to.include({ type: 'query', refresh: 2, multi: false, includeAll: false });
      for (const variable of list.slice(2)) {
        expect(variable).to.deep.include({
          type: 'query',
          multi: true,
          includeAll: true,
          allValue: '.*',
          refresh: 2,
          current: { selected: true, text: ['All'], value: ['$__all'] },
        });
      }
    });

    it('are the only ones that are used', () => {
      const names = new Set(dashboard.templating.list.map(({ name }) => name));
      // Those of kubernetes-mixin have a variable for the node as well.
      const linked = [...text.matchAll(/[?&]var-(\w+)=/g)].map(([, name = '']) => name);
      expect(linked).to.not.be.empty;
      for (const name of linked) expect([...names, 'node']).to.include(name);
      const ofGrafana = [
        '__data.fields.Namespace',
        '__data.fields.Pod',
        '__value.raw',
        '__field.labels.namespace',
        '__field.labels.pod',
      ];
      const braced = [...text.matchAll(/\$\{([^}]+)\}/g)].map(([, name = '']) => name);
      for (const name of braced) {
        expect([
          'datasource',
          'datasource:queryparam',
          'cluster:queryparam',
          '__url_time_range',
          ...ofGrafana,
        ]).to.include(name);
      }
    });

    it('are kept by every link: to this dashboard, to those of kubernetes-mixin, and to the page of the exporter', () => {
      const urls = valuesOf('url', dashboard).filter((url): url is string => typeof url === 'string' && url !== '');
      const ofFile = (name: string) => createHash('md5').update(`k8s-resources-${name}.json`).digest('hex');
      const uids = [dashboard.uid, ...['pod', 'namespace', 'node'].map(ofFile)];
      const led = urls.filter((url) => url.startsWith('/d/')).map((url) => url.slice('/d/'.length, url.indexOf('?')));
      expect(new Set(led)).to.deep.equal(new Set(uids));
      for (const url of urls.filter((each) => each.startsWith('/d/'))) {
        expect(url).to.match(/&\$\{datasource:queryparam\}&\$\{cluster:queryparam\}&\$\{__url_time_range\}$/);
      }
      expect(urls.filter((url) => !url.startsWith('/d/'))).to.deep.equal([
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
        '${__value.raw}/?namespace=${__data.fields.Namespace}&pod=${__data.fields.Pod}',
      ]);
    });
  });

  describe('queries', () => {
    let known: KnownMetrics;
    before(async () => {
      known = await knownMetrics();
    });

    const expressions = [
      ...expressionsOf(dashboard),
      ...dashboard.templating.list
        .filter(({ type }) => type === 'query')
        // A label of the selector, as in `count by (label) (selector)`.
        .map(({ name, query }) => ({
          where: `variable ${name}`,
          expression: query.replace(/^label_values\((.+), (\w+)\)$/, 'count by ($2) ($1)'),
        })),
    ];

    it('speak only of metrics and labels that the code exposes', () => {
      expect(expressions).to.have.length.greaterThan(40);
      for (const { where, expression } of expressions) {
        expect(unknownNames(filled(expression), known), where).to.be.empty;
      }
    });

    it('would not pass with others', () => {
      const mistakes = {
        'sum(anomaly_scores)': 'metric anomaly_scores',
        'anomaly_score{workload="cart"}': 'label workload of anomaly_score',
        'sum by (podd) (anomaly_score)': 'label podd in by (podd)',
        'sum by (node) (label_replace(anomaly_score, "host", "$1", "pod", "(.+)"))': 'label node in by (node)',
        'anomaly_score and on (container) anomaly_flag': 'label container in on (container)',
      };
      for (const [expression, mistake] of Object.entries(mistakes)) {
        expect(unknownNames(expression, known)).to.deep.equal([mistake]);
      }
      expect(unknownNames('sum(anomaly_score', known)).to.have.lengthOf(1);
    });

    it('are about one cluster', () => {
      for (const { where, expression } of expressions) {
        for (const { metric, matchers } of selectorsIn(expression.replaceAll(/\[[^\]]*\]/g, ''))) {
          if (where === 'variable cluster') continue;
          expect(matchers, `${where}: ${metric}`).to.include('cluster="$cluster"');
        }
      }
    });

    it('take their pods from the variables', () => {
      const podMatchers = ['namespace=~"$namespace"', 'pod=~"$workload(-.*)?"', 'pod=~"$pod"'];
      const inCollector = podMatchers.map((matcher) => matcher.replace(/^\w+/, 'k8s_$&_name'));
      let checked = 0;
      for (const { where, expression } of expressionsOf(dashboard)) {
        for (const { metric, matchers } of selectorsIn(expression.replaceAll(/\[[^\]]*\]/g, ''))) {
          const labels = known.get(metric);
          if (labels?.has('pod')) expect(matchers, `${where}: ${metric}`).to.include.members(podMatchers);
          else if (labels?.has('k8s_pod_name')) expect(matchers, `${where}: ${metric}`).to.include.members(inCollector);
          else if (labels?.has('workload')) {
            expect(matchers, where).to.include.members(['namespace=~"$namespace"', 'workload=~"$workload"']);
          }
          if (labels?.has('namespace') || labels?.has('k8s_pod_name')) checked++;
        }
      }
      expect(checked).to.be.greaterThan(30);
    });

    it('have windows for rates that fit the scrape interval', () => {
      const windows = text.match(/\brate\([^[]+\[[^\]]+\]/g) ?? [];
      expect(windows).to.not.be.empty;
      for (const window of windows) expect(window).to.match(/\[\$__rate_interval\]$/);
    });

    it('choose the pods of a chart once, not anew at each of its instants', () => {
      const charts = panels.flatMap(({ targets }) => targets).filter(({ range }) => range);
      const choosing = charts.filter(({ expr }) => expr.includes('topk'));
      expect(choosing).to.have.length.greaterThan(5);
      for (const { expr } of choosing) expect(expr).to.match(/topk\(\d+, .* @ end\(\)\)\)/);
    });

    it('are one of instant or range: stats and tables show now, charts show the past', () => {
      for (const { type, title, targets } of panels) {
        const isNow = type === 'stat' || type === 'table';
        for (const { instant, range, format } of targets) {
          expect({ instant, range }, title).to.deep.equal({ instant: isNow, range: !isNow });
          expect(format, title).to.equal(type === 'table' ? 'table' : undefined);
        }
      }
    });
  });

  describe('panels', () => {
    it('have a title of their own and a description in whole sentences that says how to read them', () => {
      const titles = panels.map(({ title }) => title);
      expect(new Set(titles).size).to.equal(titles.length);
      for (const { title, description } of panels) {
        expect(description, title).to.match(/^[A-Z].{60,}\.$/);
        expect(description, title).to.not.match(/ {2}|\.[A-Z]/);
      }
    });

    it('have a unit, and words for when there is nothing', () => {
      for (const { title, fieldConfig } of panels) {
        expect(fieldConfig.defaults.unit, title).to.be.a('string').and.not.be.empty;
        expect(fieldConfig.defaults.noValue, title).to.be.a('string').and.not.be.empty;
      }
    });

    it('call each series of a chart by name', () => {
      for (const { type, title, targets } of panels) {
        if (type !== 'timeseries' && type !== 'state-timeline') continue;
        const legends = targets.map(({ legendFormat }) => legendFormat ?? '');
        expect(legends, title).to.not.include('');
        expect(new Set(legends).size, title).to.equal(legends.length);
      }
    });

    it('draw the line at 0 above which a score is anomalous', () => {
      const { fieldConfig } = panels.find(({ title }) => title === 'Score') as PanelJson;
      expect(fieldConfig.defaults.thresholds?.steps).to.deep.include({ value: 0, color: 'red' });
      expect(fieldConfig.defaults.custom?.thresholdsStyle).to.deep.equal({ mode: 'dashed' });
    });

    it('lie beside one another, in lines that are filled', () => {
      const cells = new Set<string>();
      for (const { title, gridPos } of [...dashboard.panels, ...panelsOfCollapsedRows()]) {
        const { x, y, w, h } = gridPos;
        for (let row = y; row < y + h; row++) {
          for (let column = x; column < x + w; column++) {
            expect(cells, `${title} lies on another panel`).to.not.include(`${column},${row}`);
            cells.add(`${column},${row}`);
            expect(column, title).to.be.below(24);
          }
        }
      }
      const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
      expect(cells.size, 'no holes').to.equal(24 * bottom);
    });

    it('have numbers of their own, to which links lead', () => {
      const ids = [...dashboard.panels, ...panelsOfCollapsedRows()].map(({ id }) => id);
      expect(ids).to.deep.equal(ids.map((_, index) => index + 1));
    });
  });
});

function panelsOfCollapsedRows(): readonly PanelJson[] {
  return dashboard.panels.flatMap((entry) => (entry.type === 'row' ? entry.panels : []));
}
