import { useMediaQuery } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import type { User } from '@/api/model';
import { GroupBit, may } from '@/api/permission';
import { type Sort, siteBasicQuery } from '@/api/queries';
import { AccountMenu, CapacityBar } from '@/features/account';
import { FilesPage } from '@/features/files';
import { EngineProvider, PendingCell, SessionStory } from '@/features/transfers';
import { i18next } from '@/lib/i18n';
import { folderHref, go, type Place, titleOf } from '@/lib/location';
import { engineOf } from './engine';
import { Frame } from './frame';
import { useIntake } from './intake';
import { useLive } from './live';
import type { Room } from './rooms';

// Fetched after the first screen stands.
const AdminPage = lazy(() => import('@/features/admin/page'));
const AccountPage = lazy(() => import('@/features/account/page'));
const ShareDialog = lazy(() => import('@/features/shares/dialog'));
const SharesPage = lazy(() => import('@/features/shares/page'));
const TrashPage = lazy(() => import('@/features/trash/page'));
const TransferPanel = lazy(() => import('@/features/transfers/panel'));

interface Props {
  user: User;
  place: Place;
  room: Room;
}

const columns = ['name', 'size', 'updated_at'] as const;

function sortOf(query: URLSearchParams): Sort {
  const orderBy = columns.find((c) => c === query.get('sort')) ?? 'name';
  return { orderBy, direction: query.get('dir') === 'desc' ? 'desc' : 'asc' };
}

export default function SignedIn(props: Props) {
  return (
    <EngineProvider value={engineOf(useQueryClient())}>
      <Screen {...props} />
    </EngineProvider>
  );
}

function Screen({ user, place, room }: Props) {
  useLive();
  const { data: site } = useQuery(siteBasicQuery);
  const narrow = useMediaQuery('(max-width: 767px)');
  const [open, setOpen] = useState(false);
  const [sharing, setSharing] = useState<{ uri: string; name: string }>();
  const intake = useIntake(() => setOpen(true));
  const title = site?.title || i18next.t('app.name');
  const path = place.segments.slice(1);
  useEffect(() => {
    document.title = titleOf(path, title);
  });
  const sort = sortOf(place.query);
  const onSort = (next: Sort) =>
    go(`${folderHref(path)}?sort=${next.orderBy}&dir=${next.direction}`, 'replace');
  const account = <AccountMenu user={user} capacity={narrow ? <CapacityBar /> : null} />;
  return (
    <Frame
      title={title}
      room={room}
      transfersOpen={open}
      admin={may(user.group?.permission, GroupBit.admin)}
      onTransfers={() => setOpen(!open)}
    >
      {room === 'files' && (
        <FilesPage
          key={folderHref(path)}
          path={path}
          sort={sort}
          onSort={onSort}
          account={account}
          onPick={intake.pick}
          onDrop={intake.drop}
          onShare={may(user.group?.permission, GroupBit.share) ? setSharing : undefined}
          pending={(p) => <PendingCell path={p} />}
          story={(id) => <SessionStory sessionId={id} />}
        />
      )}
      <Suspense>
        {room === 'shares' && <SharesPage account={account} />}
        {room === 'trash' && <TrashPage account={account} />}
        {room === 'account' && <AccountPage user={user} account={account} />}
        {room === 'admin' && <AdminPage where={path[0]} account={account} />}
      </Suspense>
      <Suspense>
        {sharing && <ShareDialog item={sharing} onClose={() => setSharing(undefined)} />}
      </Suspense>
      {intake.inputs}
      <Suspense>
        <TransferPanel open={open} onOpen={setOpen} reading={intake.reading} />
      </Suspense>
    </Frame>
  );
}
