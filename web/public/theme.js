// Before the first paint: the theme chosen here, else the system's.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem('wharfinger.theme');
  } catch {}
  const dark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.mantineColorScheme = dark ? 'dark' : 'light';
}
