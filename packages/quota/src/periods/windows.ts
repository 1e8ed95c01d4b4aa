import { TierkitError } from '@tierkit/core';
import { addUnits, unitsBetween } from './calendar.ts';
import { ANCHOR_RULE, anchorWallMs, type Anchor, type CheckedPeriod } from './period.ts';
import { instantOf, openTimeZone, type TimeZone } from './time-zone.ts';

/** One period in time: from its start to just before its end, in milliseconds since 1970. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

const MOST_REMEMBERED = 1_000;

/**
 * Which window of a period an instant is in, for any zone and anchor. The last one of each is remembered, so that Intl is
 * asked once a period and not once a call.
 */
export class Windows {
  readonly #zones = new Map<string, TimeZone>();
  readonly #last = new Map<string, Window>();

  /** @throws {TierkitError} `ERR_QUOTA_PERIOD`: there is no such zone, or the anchor is none */
  at(period: CheckedPeriod, anchor: Anchor, zoneName: string, instantMs: number): Window {
    const key = `${period.name}|${zoneName}|${typeof anchor === 'string' ? anchor : anchor?.getTime?.()}`;
    const last = this.#last.get(key);
    if (last !== undefined && last.startMs <= instantMs && instantMs < last.endMs) return last;
    const window = this.#find(this.#starts(period, anchor, zoneName), instantMs);
    remember(this.#last, key, window);
    return window;
  }

  /**
   * The windows that have a part in `[fromMs, toMs)`, oldest first.
   *
   * @throws {TierkitError} `ERR_QUOTA_PERIOD` as `at`; `ERR_QUOTA_RANGE`: there are more than `most`
   */
  between(
    period: CheckedPeriod,
    anchor: Anchor,
    zoneName: string,
    { fromMs, toMs, most }: { readonly fromMs: number; readonly toMs: number; readonly most: number },
  ): Window[] {
    const starts = this.#starts(period, anchor, zoneName);
    const windows: Window[] = [];
    for (let window = this.#find(starts, fromMs); window.startMs < toMs; window = this.#find(starts, window.endMs)) {
      if (windows.length === most) {
        throw new TierkitError('ERR_QUOTA_RANGE', `from and to span more than ${most} periods of ${period.name}`);
      }
      windows.push(window);
    }
    return windows;
  }

  /** @throws {TierkitError} `ERR_QUOTA_PERIOD` */
  zone(name: string): TimeZone {
    const known = this.#zones.get(name);
    if (known !== undefined) return known;
    try {
      // Intl takes undefined for the zone of the machine.
      if (typeof name !== 'string') throw new RangeError('a text is needed');
      const zone = openTimeZone(name);
      remember(this.#zones, name, zone);
      return zone;
    } catch (cause) {
      const shown = typeof name === 'string' ? JSON.stringify(name.slice(0, 40)) : typeof name;
      throw new TierkitError(
        'ERR_QUOTA_PERIOD',
        `timeZone must be an IANA name such as 'Europe/Berlin', not ${shown}`,
        {
          cause,
        },
      );
    }
  }

  #starts({ name, every }: CheckedPeriod, anchor: Anchor, zoneName: string): Starts {
    const zone = this.zone(zoneName);
    const givenMs = anchorWallMs(anchor);
    if (givenMs === undefined) throw new TierkitError('ERR_QUOTA_PERIOD', `period ${name} ${ANCHOR_RULE}`);
    if (typeof every === 'number') {
      const firstMs = anchor instanceof Date ? givenMs : instantOf(givenMs, zone);
      return { near: (ms) => Math.floor((ms - firstMs) / every), startMs: (count) => firstMs + count * every };
    }
    const wallMs = anchor instanceof Date ? givenMs + zone.offsetMs(givenMs) : givenMs;
    return {
      near: (ms) => unitsBetween(wallMs, ms + zone.offsetMs(ms), every),
      startMs: (count) => instantOf(addUnits(wallMs, every, count), zone),
    };
  }

  #find(starts: Starts, instantMs: number): Window {
    let count = starts.near(instantMs);
    while (starts.startMs(count) > instantMs) count--;
    // A day that a zone left out, when it moved to the other side of the date line, is an empty window.
    while (starts.startMs(count + 1) <= instantMs) count++;
    return { startMs: starts.startMs(count), endMs: starts.startMs(count + 1) };
  }
}

interface Starts {
  /** The number of a window that is near an instant. */
  near(instantMs: number): number;
  /** When the window of this number starts. */
  startMs(count: number): number;
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= MOST_REMEMBERED) map.clear();
  map.set(key, value);
}
