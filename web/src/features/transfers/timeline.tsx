import { useQuery } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Durability, UploadEvent } from '@/api/model';
import { timelineQuery } from '@/api/queries';
import { failureWords, type Words } from '@/api/words';
import { formatBytes } from '@/lib/bytes';
import { formatClock, formatMoment } from '@/lib/time';
import { Notice } from '@/ui/notice';
import { RequestId } from '@/ui/request-id';
import { sessionLost } from '@/upload/backoff';
import type { Moment } from '@/upload/job';
import classes from './timeline.module.css';

interface Props {
  /** None: the server was never reached. */
  sessionId: string | undefined;
  /** What this page saw of it. */
  story: readonly Moment[];
  durability: Durability | undefined;
  /** It goes on, so the server is asked again and again. */
  live: boolean;
}

interface Line {
  key: string;
  at: number;
  what: string;
  more: string;
  tone: 'plain' | 'amber' | 'red' | 'green';
  id?: string | undefined;
}

const often = 3_000;

/** Everything that happened to one upload: the server's side and this page's, in one order. */
export default function Timeline({ sessionId, story, durability, live }: Props) {
  const { t } = useTranslation();
  const { data, error, isLoading } = useQuery({
    ...timelineQuery(sessionId ?? ''),
    enabled: sessionId !== undefined,
    refetchInterval: live ? often : false,
    retry: 1,
  });
  const here = story.map((moment, i) => hereLine(t, moment, i));
  const there = joined(data ?? []).map((event, i) => serverLine(t, event, i));
  // The server's beginning and end say more than this page's.
  const lines = [...there, ...here.filter((l) => !(data && l.key.startsWith('began')))];
  lines.sort((a, b) => a.at - b.at);
  const words = error && !sessionLost(error) ? failureWords(error) : undefined;
  return (
    <section className={classes.timeline} aria-label={t('timeline.title')}>
      <ol>
        {lines.map((line) => (
          <li key={line.key} data-tone={line.tone}>
            <time
              className="num"
              dateTime={new Date(line.at).toISOString()}
              data-tip={formatMoment(line.at)}
            >
              {formatClock(line.at)}
            </time>
            <div>
              <span className={classes.what}>{line.what}</span>
              {line.more && <span className={classes.more}> {line.more}</span>}
              {line.id && (
                <div>
                  <RequestId id={line.id} />
                </div>
              )}
            </div>
          </li>
        ))}
      </ol>
      {isLoading && <p className={classes.more}>{t('timeline.loading')}</p>}
      {error && sessionLost(error) && <p className={classes.more}>{t('timeline.forgotten')}</p>}
      {words && <Notice what={words.what} more={[words.todo]} fault={words.fault} id={words.id} />}
      {durability && (
        <p className={durability === 'never' ? classes.warning : classes.more}>
          {t(`durability.${durability}`)}
        </p>
      )}
    </section>
  );
}

function hereLine(t: TFunction, moment: Moment, index: number): Line {
  const { what, at, error, local, bytes } = moment;
  const words = error && failureWords(error);
  const tones = { failed: 'red', retried: 'amber', verified: 'green' } as const;
  return {
    key: `${what} ${index}`,
    at,
    what: t(`timeline.${what}`, { bytes: formatBytes(bytes ?? 0) }),
    more: local ? t(`local.${local}.what`) : whyOf(what, words),
    tone: what in tones ? tones[what as keyof typeof tones] : 'plain',
    id: words?.id,
  };
}

/** Where the page has found a way already, nobody needs to know whether one helps. */
function whyOf(what: Moment['what'], words: Words | undefined): string {
  if (!words) return '';
  return what === 'smaller' || what === 'detour' ? words.what : `${words.what} ${words.fault}`;
}

/** Chunks that come by several lanes are one event for whoever reads. */
function joined(events: readonly UploadEvent[]): UploadEvent[] {
  const all: UploadEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (last?.kind !== 'received' || event.kind !== 'received') {
      all.push(event);
      continue;
    }
    const chunks = (last.chunks ?? 1) + (event.chunks ?? 1);
    const until = event.until ?? event.at;
    all[all.length - 1] = { ...last, until, chunks, bytes: [0, sizeOf(last) + sizeOf(event)] };
  }
  return all;
}

function sizeOf({ bytes }: UploadEvent): number {
  const [from = 0, to = 0] = bytes ?? [];
  return to - from;
}

function serverLine(t: TFunction, event: UploadEvent, index: number): Line {
  const { kind, chunks = 1 } = event;
  const size = { bytes: formatBytes(sizeOf(event)), count: chunks };
  const known = [
    'created',
    'settled',
    'refused',
    'settle_failed',
    'aborted',
    'expired',
    'evicted',
  ] as const;
  const name = known.find((k) => k === kind);
  let what = name ? t(`timeline.${name}`) : t('timeline.other', { kind });
  if (kind === 'received')
    what = chunks > 1 ? t('timeline.receivedMany', size) : t('timeline.received', size);
  const more = [
    event.until && t('timeline.until', { time: formatClock(Date.parse(event.until)) }),
    event.message,
    event.reason && t('timeline.code', { reason: event.reason, code: event.code }),
  ];
  const bad = kind === 'refused' || kind === 'settle_failed';
  return {
    key: `server ${index}`,
    at: Date.parse(event.at),
    what,
    more: more.filter(Boolean).join(' · '),
    tone: bad ? 'amber' : 'plain',
  };
}
