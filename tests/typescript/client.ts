// What a frontend does with the API, in the types that are made of its document. It is compiled and never run: where
// the document says something else than this expects, it does not compile.
import type { components, operations } from './api';

type Schemas = components['schemas'];
export type CalendarEvent = Schemas['CalendarEvent'];
export type Problem = Schemas['Problem'];

/** What an operation answers with when all is well. */
type Answer<Id extends keyof operations> = operations[Id]['responses'] extends infer Responses
  ? {
      [Status in keyof Responses]: Status extends 200 | 201 | 202
        ? Responses[Status] extends { content: { 'application/json': infer Body } }
          ? Body
          : undefined
        : never;
    }[keyof Responses]
  : never;

/** Refuses as the API does. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

async function ask<Id extends keyof operations>(_: Id, path: string, init?: RequestInit): Promise<Answer<Id>> {
  const answer = await fetch(`/api/v1${path}`, { credentials: 'include', ...init });
  if (!answer.ok) throw new Refused((await answer.json()) as Problem);
  return (await answer.json()) as Answer<Id>;
}

export async function waiting(): Promise<CalendarEvent[]> {
  const events: CalendarEvent[] = [];
  let cursor: string | null | undefined;
  do {
    const query: operations['listCalendarEvents']['parameters']['query'] = { state: 'suggested', limit: 200 };
    if (cursor) query.cursor = cursor;
    const page = await ask('listCalendarEvents', `/calendar-events?${new URLSearchParams(query as Record<string, string>)}`);
    events.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return events;
}

export async function log(event: CalendarEvent): Promise<string> {
  const entry = await ask('convertCalendarEvent', `/calendar-events/${event.id}/convert`, { method: 'POST' });
  const minutes: number = entry.duration_minutes;
  const source: 'slack' | 'calendar' | 'timer' | 'api' | 'import' = entry.source;
  return `${entry.description}: ${minutes} min on ${entry.date}, from ${source}`;
}

export async function savePreferences(changes: Schemas['PreferenceChanges']): Promise<Schemas['Preferences']> {
  return ask('savePreferences', '/integrations/slack/preferences', { method: 'PUT', body: JSON.stringify(changes) });
}

export function whatToDo(problem: Problem): string {
  if (problem.connect_url) return `Connect again at ${problem.connect_url}`;
  return (problem.errors ?? []).map((error) => `${error.field}: ${error.message}`).join('\n') || problem.detail;
}

export function summaryTime(preferences: Schemas['Preferences']): string | null {
  return preferences.daily_summary ? preferences.daily_summary_time : null;
}

// Any of the preferences may be sent alone, and none that does not exist.
void savePreferences({ time_zone: null });
// @ts-expect-error there is no such preference
void savePreferences({ colour: 'green' });
// @ts-expect-error a unit is one of three words
void savePreferences({ bare_number_unit: 'weeks' });
// @ts-expect-error there is no such provider
export const nobody: Schemas['Integration']['provider'] = 'yahoo';
