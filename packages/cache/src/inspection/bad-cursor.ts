import { TierkitError } from '@tierkit/core';

export function badCursor(): TierkitError<'ERR_CACHE_CURSOR'> {
  return new TierkitError('ERR_CACHE_CURSOR', 'the cursor is none that this listing gave');
}
