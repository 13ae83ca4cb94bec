import i18next from 'i18next';
import en from './locales/en.json';
import type admin from './locales/en-admin.json';

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en & { admin: typeof admin } };
  }
}

export async function startTexts(): Promise<void> {
  await i18next.init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false }, // React escapes
  });
}

/** Texts that come with a part of the page that few see; before it is drawn. */
export function addTexts(under: string, texts: object): void {
  i18next.addResourceBundle('en', 'translation', { [under]: texts }, true);
}

export { i18next };
