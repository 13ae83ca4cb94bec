import { i18next } from '@/lib/i18n';
import { toast } from '@/ui/toast';

/** Browsers offer a clipboard only over HTTPS and on this machine. */
export async function copyLink(link: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    toast(i18next.t('shares.copied'));
  } catch {
    toast(i18next.t('shares.notCopied'));
  }
}
