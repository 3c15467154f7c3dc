import { IsString, IsUUID } from 'class-validator';

export class ShowAgainDto {
  @IsUUID()
  readonly id!: string;

  @IsString()
  readonly service!: string;
}
