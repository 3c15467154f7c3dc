import { IsInt, IsNumber, IsPositive, Max, Min } from 'class-validator';

export class ProcessOrderDto {
  @IsInt()
  @IsPositive()
  @Max(1_000_000_000)
  order_id!: number;

  // `maxDecimalPlaces` would fail for numbers that JavaScript writes with an exponent.
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(0.01)
  @Max(1_000_000_000)
  amount!: number;
}
