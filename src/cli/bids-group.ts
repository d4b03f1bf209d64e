/**
 * The group level of `prosopon bids`: the index of all results and the tables for machines.
 *
 * @example
 * await group(session, places, options);
 */
import type { Places } from '../node/bids/places.js';
import type { BidsOptions } from './bids-options.js';
import type { Session } from './session.js';

export async function group(_session: Session, _places: Places, _options: BidsOptions): Promise<void> {}
