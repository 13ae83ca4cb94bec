export { CapacityBar } from './capacity';
export { AccountMenu } from './menu';
