import { time } from '../output/units.ts';
import type { Finding, InfoFields, Purpose } from './finding.ts';

const check = 'persistence';

/** Whether what must last survives a restart of Redis. A cache needs no persistence: it is loaded again. */
export function checkPersistence(
  info: InfoFields,
  saves: string | undefined,
  purpose: Purpose,
  nowMs: number,
): Finding {
  const aof = info.get('aof_enabled') === '1';
  const rdb = saves === undefined ? undefined : saves.trim() !== '';
  const savedMs = Number(info.get('rdb_last_save_time') ?? 0) * 1_000;
  const found = [
    aof ? 'append-only file' : 'no append-only file',
    rdb === undefined
      ? 'snapshots unknown'
      : rdb
        ? `snapshots, the last ${time(Math.max(0, nowMs - savedMs))} ago`
        : 'no snapshots',
  ].join(', ');
  const say = (status: Finding['status'], advice?: string): Finding =>
    advice === undefined ? { check, status, found } : { check, status, found, advice };
  if (aof && info.get('aof_last_write_status') === 'err') {
    return say('fail', 'the last write to the append-only file failed: look for a full disk and at the log of Redis');
  }
  if (info.get('rdb_last_bgsave_status') === 'err') {
    return say(
      'fail',
      'the last snapshot failed, and Redis may refuse writes: look for a full disk and at the log of Redis',
    );
  }
  if (purpose === 'cache' || aof) return say('ok');
  if (rdb === true) {
    return say('warn', 'a crash loses quotas, events and writes behind since the last snapshot: set appendonly yes');
  }
  return say('warn', 'a restart loses quotas, events, writes behind and the tokens of locks: set appendonly yes');
}
