import { useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import SetUp from '@/features/account/set-up';
import { EngineProvider } from '@/features/transfers';
import { go } from '@/lib/location';
import { engineOf } from './engine';
import { useIntake } from './intake';

/** The set-up steps; the last of them takes the first file. */
export default function FirstRun(props: { token: string }) {
  return (
    <EngineProvider value={engineOf(useQueryClient())}>
      <Steps {...props} />
    </EngineProvider>
  );
}

function Steps({ token }: { token: string }) {
  const leave = () => go('/files', 'replace');
  const intake = useIntake(leave);
  // Used once: the address is not kept, the token is.
  const kept = useRef(token);
  return (
    <>
      <SetUp
        token={kept.current}
        onChoose={() => intake.pick('files', [])}
        onDrop={(data) => intake.drop(data, [])}
        onLater={leave}
      />
      {intake.inputs}
    </>
  );
}
