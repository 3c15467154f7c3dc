import { IsString, MaxLength } from 'class-validator';
import { MAX_SEALED_LENGTH } from 'demo';

export class ShowSealedDto {
  @IsString()
  @MaxLength(MAX_SEALED_LENGTH)
  readonly sealed!: string;
}
