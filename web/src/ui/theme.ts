// The one place where the page gets its looks: a calm harbour office of paper,
// ink and one signal colour. base.css holds the tokens that differ by scheme.
import {
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from '@mantine/core';

const slate: MantineColorsTuple = [
  '#f8fafc',
  '#f1f5f9',
  '#e2e8f0',
  '#cbd5e1',
  '#94a3b8',
  '#64748b',
  '#475569',
  '#334155',
  '#1e293b',
  '#0f172a',
];

/** Surfaces of the dark scheme, light to dark: text first, background last. */
const night: MantineColorsTuple = [
  '#e6edf5',
  '#b4c2d2',
  '#9fb0c3',
  '#6b7d93',
  '#33435a',
  '#26344a',
  '#182334',
  '#111a28',
  '#0c131e',
  '#080d15',
];

/** Deep sea, the one accent. */
const sea: MantineColorsTuple = [
  '#f0fdfa',
  '#ccfbf1',
  '#99f6e4',
  '#5eead4',
  '#2dd4bf',
  '#14b8a6',
  '#0d9488',
  '#0f766e',
  '#115e59',
  '#134e4a',
];

/** Filled buttons take their colours from our tokens, so that both schemes keep their contrast. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const colors = defaultVariantColorsResolver(input);
  if (input.variant !== 'filled') return colors;
  if (input.color === 'red')
    return { ...colors, background: 'var(--red-fill)', hover: 'var(--red-fill)', color: '#fff' };
  return { ...colors, color: 'var(--on-accent)' };
};

export const theme = createTheme({
  colors: { gray: slate, dark: night, sea },
  primaryColor: 'sea',
  primaryShade: { light: 7, dark: 4 },
  variantColorResolver,
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.4', sm: '1.4', md: '1.45', lg: '1.4', xl: '1.3' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '4px', sm: '6px', md: '6px', lg: '10px', xl: '10px' },
  defaultRadius: 'sm',
  shadows: { xs: 'none', sm: 'none', md: 'var(--float)', lg: 'var(--float)', xl: 'var(--float)' },
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'sm' }, styles: { label: { fontWeight: 600 } } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 32 } },
    InputWrapper: { styles: { label: { marginBottom: 4 } } },
    Menu: { defaultProps: { shadow: 'md', radius: 'lg', position: 'bottom-end', width: 'auto' } },
    Modal: {
      defaultProps: {
        radius: 'lg',
        centered: true,
        size: 440,
        padding: 'lg',
        transitionProps: { duration: 140, transition: 'fade' },
        overlayProps: { backgroundOpacity: 0.35 },
      },
    },
    Checkbox: { defaultProps: { size: 'xs' } },
  },
});
