import { IsInt, IsNotIn, Matches, Max, Min } from 'class-validator';

export class AdjustInventoryDto {
  @Matches(/^[A-Z0-9][A-Z0-9-]{0,31}$/, { message: 'sku must be 1 to 32 capital letters, digits and hyphens' })
  sku!: string;

  /** A negative number means that items leave the inventory. */
  @IsInt()
  @IsNotIn([0])
  @Min(-1_000_000)
  @Max(1_000_000)
  quantity!: number;
}
