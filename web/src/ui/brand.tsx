/** A quay on its piles above the water. */
export function Brand({ size = 26 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0f766e" />
      <g fill="none" strokeLinecap="round">
        <path d="M7 11.5h18M10 11.5v9M16 11.5v9M22 11.5v9" stroke="#fff" strokeWidth="2.4" />
        <path
          d="M6 24c1.7 0 1.7-1.4 3.3-1.4s1.7 1.4 3.4 1.4 1.6-1.4 3.3-1.4 1.7 1.4 3.3 1.4 1.7-1.4 3.4-1.4S24.3 24 26 24"
          stroke="#99f6e4"
          strokeWidth="2"
        />
      </g>
    </svg>
  );
}
