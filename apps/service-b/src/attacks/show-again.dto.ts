import { IsString, IsUUID } from 'class-validator';

export class ShowAgainDto {
  @IsUUID()
  readonly id!: string;

  /** A client id. */
  @IsString()
  readonly service!: string;
}
