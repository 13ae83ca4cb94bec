import { useTranslation } from 'react-i18next';
import type { Upload } from '@/upload/server';
import { ContinueButton, DiscardButton } from './unfinished';

/** What can be done with an unfinished upload, in a row of files. */
export default function Buttons({ upload }: { upload: Upload }) {
  const { t } = useTranslation();
  return (
    <>
      <DiscardButton upload={upload} />
      <ContinueButton uploads={[upload]} text={t('unfinished.continue')} />
    </>
  );
}
