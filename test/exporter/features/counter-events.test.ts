import { expect } from 'chai';
import { countEvents } from '../../../src/exporter/features/counter-events.js';

const NONE = Number.NaN;

const count = (containers: readonly (readonly number[])[], stepSeconds = 60) => [
  ...countEvents(
    containers.map((values) => Float64Array.from(values)),
    stepSeconds,
  ),
];

/** A counter that rises by one at each of these instants, from `from` on. */
const counting = (instants: number, risesAt: readonly number[], from = 0) =>
  Array.from({ length: instants }, (_, instant) => from + risesAt.filter((at) => at <= instant).length);

/** The instants at which something happens, each as often as it does. */
const eventsAt = (counts: readonly number[]) =>
  counts.flatMap((value, instant) =>
    new Array<number>(Math.max(0, value - (counts[instant - 1] ?? value))).fill(instant),
  );

describe('countEvents', () => {
  const dozen = Array.from({ length: 12 }, (_, index) => index);
  const cases: readonly (readonly [
    what: string,
    risesAt: readonly (readonly number[])[],
    events: readonly number[],
  ])[] = [
    ['the reboot of a node: each container once, at the same time', dozen.map(() => [5]), [5]],
    [
      'a reboot after which the containers start one after the other',
      dozen.map((index) => [3 + Math.floor(index / 2)]),
      [3],
    ],
    [
      'two reboots, twenty minutes apart',
      [
        [5, 25],
        [6, 26],
        [7, 27],
      ],
      [5, 25],
    ],
    ['a container that goes on to restart after a reboot', [[5], [5, 8, 12, 17], [6]], [5, 8, 12, 17]],
    ['a container that restarts again just before others have been up', [[2], [10, 19]], [2, 19]],
    ['a crash loop of one container', [[3, 7, 12, 17, 22], []], [3, 7, 12, 17, 22]],
    [
      'two containers that crash together',
      [
        [3, 7, 12],
        [3, 8, 12],
      ],
      [3, 7, 12],
    ],
    [
      'a loop that goes on in another container',
      [
        [2, 6, 10, 14],
        [11, 16, 21, 26, 31],
      ],
      [2, 6, 10, 14, 21, 26, 31],
    ],
    ['restarts of two containers that have nothing to do with each other', [[3], [13]], [3, 13]],
    ['nothing', [[], []], []],
  ];
  for (const [what, risesAt, events] of cases) {
    it(`counts ${what}`, () => {
      const containers = risesAt.map((at, index) => counting(40, at, 7 * index));
      expect(eventsAt(count(containers))).to.deep.equal(events);
      expect(count(containers).at(-1), 'the last value is that of kubectl').to.equal(
        containers.reduce((sum, values) => sum + (values.at(-1) as number), 0),
      );
    });
  }

  it('counts a single container as it is', () => {
    expect(count([[3, 3, 4, 6, NONE, 7]])).to.deep.equal([3, 3, 4, 6, NONE, 7]);
  });

  it('counts by time, whatever the step', () => {
    const containers = [
      [0, 1, 1, 1, 1],
      [0, 0, 1, 1, 1],
      [0, 0, 0, 1, 1],
    ];
    expect(eventsAt(count(containers, 300)), 'ten minutes apart are not together').to.deep.equal([1, 3]);
    expect(eventsAt(count(containers, 150))).to.deep.equal([1]);
  });

  const faults: readonly (readonly [
    what: string,
    containers: readonly (readonly number[])[],
    expected: readonly number[],
  ])[] = [
    [
      'a container that begins later',
      [
        [1, 1, 1],
        [NONE, 500, 500],
      ],
      [501, 501, 501],
    ],
    [
      'a container of which nothing is known for a while',
      [
        [14, 14, 14, 14],
        [500, NONE, NONE, 500],
      ],
      [514, 514, 514, 514],
    ],
    [
      'a container that is gone',
      [
        [1, 1, 1],
        [2, NONE, NONE],
      ],
      [3, 3, 3],
    ],
    [
      'a correction of one container',
      [
        [514, 513, 514, 514],
        [0, 0, 0, 0],
      ],
      [514, 514, 514, 514],
    ],
    [
      'a correction while another one restarts',
      [
        [514, 513, 513],
        [0, 1, 2],
      ],
      [514, 515, 516],
    ],
    [
      'a pod that is unknown for a while',
      [
        [1, NONE, 1],
        [2, NONE, 2],
      ],
      [3, NONE, 3],
    ],
    [
      'a restart in a gap',
      [
        [1, NONE, 2],
        [2, NONE, 2],
      ],
      [3, NONE, 4],
    ],
    [
      'a new pod of the same name: what it does from its beginning on',
      [
        [5, 6, 0, 1],
        [5, 6, 0, 0],
      ],
      [0, 1, 1, 2],
    ],
  ];
  for (const [what, containers, expected] of faults) {
    it(`does not mistake for events: ${what}`, () => {
      expect(count(containers)).to.deep.equal(expected);
    });
  }

  it('counts nothing of no instants', () => {
    expect(count([[], []])).to.deep.equal([]);
  });
});
