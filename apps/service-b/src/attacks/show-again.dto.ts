import { IsString, MaxLength } from 'class-validator';
import { MAX_SEALED_LENGTH } from 'demo';

export class ShowAgainDto {
  @IsString()
  @MaxLength(MAX_SEALED_LENGTH)
  readonly id!: string;

  @IsString()
  readonly service!: string;
}
