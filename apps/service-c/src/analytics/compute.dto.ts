import { IsNumber, Max, Min } from 'class-validator';

export class ComputeDto {
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(-1_000_000_000)
  @Max(1_000_000_000)
  value!: number;
}
