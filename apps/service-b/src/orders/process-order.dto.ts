/** ProcessOrderDto: the body of POST /api/process. */
import { IsInt, IsNumber, IsPositive, Max } from 'class-validator';

export class ProcessOrderDto {
  @IsInt()
  @IsPositive()
  @Max(1_000_000_000)
  order_id!: number;

  @IsNumber({ allowNaN: false, allowInfinity: false, maxDecimalPlaces: 2 })
  @IsPositive()
  @Max(1_000_000_000)
  amount!: number;
}
