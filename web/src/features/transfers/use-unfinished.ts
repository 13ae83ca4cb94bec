import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { discardUpload } from '@/api/operations';
import { capacityQuery, listingKey, uploadsQuery } from '@/api/queries';
import { type Path, pathOf, uriOf } from '@/lib/path';
import { toast } from '@/ui/toast';
import { mismatch, pair } from '@/upload/resume';
import type { Upload } from '@/upload/server';
import { uploadFrom } from '@/upload/transports/relay';
import { useEngine } from './engine';

/** A byte came this recently: something is sending it right now. */
const lively = 20_000;

export function isLively(upload: Upload): boolean {
  return upload.receivedBytes > 0 && Date.now() - upload.updatedAt < lively;
}

/** Uploads of this account that no job of this page works on. */
export function useUnfinished(): Upload[] {
  const engine = useEngine();
  const { data = [] } = useQuery(uploadsQuery);
  return data
    .map(uploadFrom)
    .filter((u) => u.state === 'open' && !engine.sessions.has(u.sessionId))
    .sort((a, b) => b.updatedAt - a.updatedAt);
}

export function useUnfinishedActions() {
  const { t } = useTranslation();
  const engine = useEngine();
  const queries = useQueryClient();

  const goOn = (file: File, upload: Upload) => {
    const path = pathOf(upload.uri);
    engine.resume({ file, folder: path.slice(0, -1), name: path.at(-1) ?? file.name }, upload);
  };
  const wrong = {
    name: 'unfinished.mismatchName',
    size: 'unfinished.mismatchSize',
    date: 'unfinished.mismatchDate',
  } as const;

  return {
    /** Continues with the chosen files what fits; says why if nothing does. */
    continueWith(files: File[], uploads: Upload[]): void {
      const [only] = uploads;
      const [first] = files;
      if (!only || !first) return;
      const pairs = pair(files, uploads);
      for (const [file, upload] of pairs) goOn(file, upload);
      if (pairs.length > 0) return;
      const why = uploads.length === 1 ? mismatch(first, only) : undefined;
      const name = nameOf(pathOf(only.uri));
      toast(why ? t(wrong[why], { name }) : t('unfinished.none'));
    },
    async discard(upload: Upload): Promise<void> {
      await discardUpload(upload.sessionId, upload.uri);
      const folder = uriOf(pathOf(upload.uri).slice(0, -1));
      for (const queryKey of [uploadsQuery.queryKey, capacityQuery.queryKey, listingKey(folder)])
        void queries.invalidateQueries({ queryKey });
    },
  };
}

export function nameOf(path: Path): string {
  return path.at(-1) ?? '';
}
