/** ShowSealedDto: a token to show to Service C, as this service sealed it. */
import { IsString, MaxLength } from 'class-validator';
import { MAX_SEALED_LENGTH } from 'demo';

export class ShowSealedDto {
  @IsString()
  @MaxLength(MAX_SEALED_LENGTH)
  readonly sealed!: string;
}
