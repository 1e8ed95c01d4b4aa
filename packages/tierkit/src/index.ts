export { TierkitError } from '@tierkit/core';
